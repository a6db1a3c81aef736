"""The settings of each experiment on images at each scale.

The paper scales follow Kingma and Welling (2013) and Burda et al. (2015); what differs is in
docs/images.md. The laptop scale learns in minutes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from experiments.images.config import ImageExperiment, ImageExperimentName
from experiments.scale import Scale
from inference import BoundConfig, TrainingConfig
from pyro_nem.data import BinarizationName

__all__ = ["LayerCount", "OptimizerName", "image_defaults", "learning_rate"]

LayerCount = Literal[1, 2]
OptimizerName = Literal["adam", "adagrad"]

# One pass through 50,000 images in batches of 20.
_EPOCH = 2500


def image_defaults(
    experiment: ImageExperimentName,
    scale: Scale,
    binarization: BinarizationName = "dynamic",
    layers: LayerCount = 1,
) -> ImageExperiment:
    """Return the settings of an experiment before the user's own options."""
    two = layers == 2
    settings = ImageExperiment(
        experiment=experiment,
        scale=scale,
        binarization=binarization,
        latent_sizes=(100, 50) if two else (50,),
        widths=(200, 100) if two else (200,),
        depth=2,
        glorot=True,
        bound=BoundConfig("iwae", 50),
        particles=(50,),
        likelihood_particles=5000,
        likelihood_images=None,
        training_images=None,
        validation_images=None,
        test_images=None,
        training=TrainingConfig(
            updates=3280 * _EPOCH,
            batch_size=20,
            learning_rate=1e-3,
            warmup=0,
            decay="stages",
            log_every=500,
            validate_every=4 * _EPOCH,
        ),
        device="cpu",
    )
    if experiment == "vae_mnist":
        training = replace(
            settings.training,
            # 10^8 images.
            updates=1_000_000,
            batch_size=100,
            optimizer="adagrad",
            learning_rate=learning_rate("adagrad", scale),
            decay="constant",
        )
        settings = replace(
            settings,
            latent_sizes=(20,),
            widths=(500,),
            depth=1,
            glorot=False,
            bound=BoundConfig(divergence="analytic"),
            training=training,
        )
    if scale == "paper":
        return settings
    training = replace(
        settings.training,
        updates=5000,
        optimizer="adam",
        learning_rate=learning_rate("adam", scale),
        decay="cosine",
        log_every=100,
        validate_every=1000,
    )
    bound = settings.bound
    if bound.objective == "iwae":
        # The same bound with less variance in what the encoder learns from.
        bound = replace(bound, gradient="dreg")
    settings = replace(
        settings, bound=bound, likelihood_images=200, validation_images=1000, training=training
    )
    if scale == "laptop":
        return settings
    small = replace(training, updates=4, batch_size=4, log_every=1, validate_every=2)
    return replace(
        settings,
        latent_sizes=(6, 4) if two else (4,),
        widths=(10, 8) if two else (10,),
        bound=replace(settings.bound, particles=min(settings.bound.particles, 3)),
        particles=(3,),
        likelihood_particles=20,
        likelihood_images=4,
        training_images=64,
        validation_images=8,
        test_images=8,
        training=small,
    )


def learning_rate(optimizer: OptimizerName, scale: Scale) -> float:
    """Return the learning rate that suits an optimiser."""
    if optimizer == "adagrad":
        return 0.02 if scale == "paper" else 0.05
    return 1e-3 if scale == "paper" else 4e-3
