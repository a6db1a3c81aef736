"""Experiments on images that a variational autoencoder explains."""

from experiments.images.config import ImageExperimentName
from experiments.images.run import run_images

__all__ = ["ImageExperimentName", "run_images"]
