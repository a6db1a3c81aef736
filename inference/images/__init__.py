"""Inference for models of images: the posterior, its bounds, training and evaluation."""

from inference.images.activity import Activity, latent_activity
from inference.images.diagnosis import diagnose_images
from inference.images.evaluation import ImageScores, score_images
from inference.images.fitting import ImageRun, fit_images
from inference.images.hmc import HMCLikelihood, hmc_likelihood
from inference.images.objective import ImageLoss, ImageObjective
from inference.images.posterior import ImagePosterior
from inference.images.quadrature import QuadratureLikelihood, quadrature_likelihood

__all__ = [
    "Activity",
    "HMCLikelihood",
    "ImageLoss",
    "ImageObjective",
    "ImagePosterior",
    "ImageRun",
    "ImageScores",
    "QuadratureLikelihood",
    "diagnose_images",
    "fit_images",
    "hmc_likelihood",
    "latent_activity",
    "quadrature_likelihood",
    "score_images",
]
