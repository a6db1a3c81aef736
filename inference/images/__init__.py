"""Inference for models of images: the posterior, its bounds, training and evaluation."""

from inference.images.activity import Activity, latent_activity
from inference.images.diagnosis import diagnose_images
from inference.images.evaluation import ImageScores, score_images
from inference.images.fitting import ImageRun, fit_images
from inference.images.hmc import HMCLikelihood, hmc_likelihood
from inference.images.objective import ImageLoss, ImageObjective
from inference.images.posterior import ImagePosterior

__all__ = [
    "Activity",
    "HMCLikelihood",
    "ImageLoss",
    "ImageObjective",
    "ImagePosterior",
    "ImageRun",
    "ImageScores",
    "diagnose_images",
    "fit_images",
    "hmc_likelihood",
    "latent_activity",
    "score_images",
]
