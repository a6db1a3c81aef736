"""Experiments on images that a variational autoencoder explains."""

from experiments.images.config import ImageExperimentName

__all__ = ["ImageExperimentName"]
