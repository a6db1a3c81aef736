"""What the world is: generative programs in Pyro."""

from models.image_vae import ImageVAE
from models.outputs import (
    AutoregressiveOutput,
    BernoulliOutput,
    CategoricalOutput,
    GaussianMixtureOutput,
    GaussianOutput,
    OutputLaw,
    PenOutput,
)
from models.pixels import BernoulliPixels, GaussianPixels, PixelLaw
from models.priors import StatePrior, UniformPrior, UnitCube
from models.recurrent_prior import RecurrentPrior, gaussian_head
from models.rollout import Rollout, StateLaw
from models.select_component import select_component
from models.sequence_rollout import RecurrentState, SequenceRollout
from models.sequence_vrnn import SequenceVRNN
from models.spatial_mixture import Decoder, SpatialMixture

__all__ = [
    "AutoregressiveOutput",
    "BernoulliOutput",
    "BernoulliPixels",
    "CategoricalOutput",
    "Decoder",
    "GaussianMixtureOutput",
    "GaussianOutput",
    "GaussianPixels",
    "ImageVAE",
    "OutputLaw",
    "PenOutput",
    "PixelLaw",
    "RecurrentPrior",
    "RecurrentState",
    "Rollout",
    "SequenceRollout",
    "SequenceVRNN",
    "SpatialMixture",
    "StateLaw",
    "StatePrior",
    "UniformPrior",
    "UnitCube",
    "gaussian_head",
    "select_component",
]
