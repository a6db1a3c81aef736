"""What the world is: generative programs in Pyro."""

from models.pixels import BernoulliPixels, GaussianPixels, PixelLaw
from models.priors import StatePrior, UniformPrior, UnitCube
from models.recurrent_prior import RecurrentPrior, gaussian_head
from models.rollout import Rollout, StateLaw
from models.select_component import select_component
from models.spatial_mixture import Decoder, SpatialMixture

__all__ = [
    "BernoulliPixels",
    "Decoder",
    "GaussianPixels",
    "PixelLaw",
    "RecurrentPrior",
    "Rollout",
    "SpatialMixture",
    "StateLaw",
    "StatePrior",
    "UniformPrior",
    "UnitCube",
    "gaussian_head",
    "select_component",
]
