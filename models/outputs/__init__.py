"""Laws of what a sequence model observes at a step, each from a network's plain numbers."""

from models.outputs.autoregressive import AutoregressiveOutput
from models.outputs.bernoulli import BernoulliOutput
from models.outputs.categorical import CategoricalOutput
from models.outputs.gaussian import GaussianOutput
from models.outputs.mixture import GaussianMixtureOutput
from models.outputs.pen import PenOutput
from models.outputs.protocol import OutputLaw

__all__ = [
    "AutoregressiveOutput",
    "BernoulliOutput",
    "CategoricalOutput",
    "GaussianMixtureOutput",
    "GaussianOutput",
    "OutputLaw",
    "PenOutput",
]
