"""The settings of each experiment at the paper scale, and what other scales start from.

They are those of the released code: README and named configurations of Greff et al. 2017, and of
van Steenkiste et al. 2018 for balls and the guide r-nem.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.frames.config import (
    BALLS,
    ExperimentName,
    FrameExperiment,
    GuideName,
)
from inference import BoundConfig, Execution, TrainingConfig
from pyro_nem.data import Noise

__all__ = ["paper_settings"]


def paper_settings(experiment: ExperimentName, guide: GuideName) -> FrameExperiment:
    """Return the settings of an experiment by the released code.

    Parameters
    ----------
    experiment
        What is run.
    guide
        How the mixture is inverted.
    """
    settings = _shapes(experiment, guide)
    if experiment in BALLS:
        return _balls(settings)
    if experiment == "flying_mnist":
        return _digits(settings)
    return _sprites(settings) if experiment == "sprites" else settings


def _shapes(experiment: ExperimentName, guide: GuideName) -> FrameExperiment:
    static = experiment == "static_shapes"
    return FrameExperiment(
        experiment=experiment,
        scale="paper",
        recipe="official",
        guide=guide,
        network="official",
        pixels="bernoulli",
        views=("masked-residual",),
        attention=True,
        gradient_gamma=static,
        gradient_psi=True,
        objects=3,
        most_objects=None,
        variant=None,
        staged=False,
        components=4 if static else 3,
        steps=15 if static else 20,
        frames=1 if static else 21,
        data=None,
        training_sequences=50_000,
        validation_sequences=1_000,
        test_sequences=10_000,
        iwae_particles=100,
        iwae_sequences=100,
        noise=Noise("bitflip", 0.1 if static else 0.2),
        step_weights="last" if static else "all",
        inter_weight=1.0,
        bound=BoundConfig(),
        # 500 epochs of 781 updates at most, stopped 10 epochs after the best one.
        training=TrainingConfig(
            updates=390_500,
            batch_size=64,
            learning_rate=1e-3,
            warmup=0,
            decay="constant",
            log_every=100,
            validate_every=781,
            patience=10,
        ),
        execution=Execution(),
        device="cpu",
    )


def _digits(settings: FrameExperiment) -> FrameExperiment:
    """Return the settings of grey digits, two in each video."""
    return replace(
        settings,
        pixels="gaussian",
        # The original normalises what its network reads.
        views=("normalised-residual",),
        objects=2,
        variant="full",
        components=2,
        noise=Noise("masked-uniform", 0.2),
        inter_weight=0.2,
        training=replace(settings.training, learning_rate=5e-4),
    )


def _balls(settings: FrameExperiment) -> FrameExperiment:
    """Return the settings of R-NEM: 3 balls behind a curtain, else 4, in 51 frames of 64x64."""
    objects = 3 if settings.experiment == "bouncing_balls_curtain" else 4
    return replace(settings, objects=objects, components=5, steps=30, frames=51)


def _sprites(settings: FrameExperiment) -> FrameExperiment:
    """Return the settings of coloured sprites, which no paper has.

    Law, noise and weight of the inter-cluster term are those of the paper's grey videos. Ten steps
    are half the work of twenty, and what they learn holds for twenty.
    """
    return replace(
        settings,
        pixels="gaussian",
        most_objects=6,
        components=7,
        steps=10,
        noise=Noise("masked-uniform", 0.2),
        inter_weight=0.2,
    )
