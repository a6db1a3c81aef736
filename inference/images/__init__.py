"""Inference for models of images: the posterior, its bounds, training and evaluation."""

from inference.images.activity import Activity, latent_activity
from inference.images.evaluation import ImageScores, score_images
from inference.images.fitting import ImageRun, fit_images
from inference.images.objective import ImageLoss, ImageObjective
from inference.images.posterior import ImagePosterior

__all__ = [
    "Activity",
    "ImageLoss",
    "ImageObjective",
    "ImagePosterior",
    "ImageRun",
    "ImageScores",
    "fit_images",
    "latent_activity",
    "score_images",
]
