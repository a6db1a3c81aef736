"""What the world is: generative programs in Pyro."""

from models.pixels import BernoulliPixels, GaussianPixels, PixelLaw
from models.priors import UnitCube
from models.rollout import Rollout
from models.spatial_mixture import Decoder, SpatialMixture, select_component

__all__ = [
    "BernoulliPixels",
    "Decoder",
    "GaussianPixels",
    "PixelLaw",
    "Rollout",
    "SpatialMixture",
    "UnitCube",
    "select_component",
]
