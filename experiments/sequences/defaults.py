"""The settings of each experiment on sequences at each scale.

The paper scale follows FIVO (Maddison et al. 2017) and its released code: sizes, batches of 4, four
particles. The laptop scale learns in minutes; JSB is so small that more is memorised.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.config import Scale
from experiments.sequences.config import ModelName, SequenceExperiment, SequenceExperimentName
from inference import BoundConfig, TrainingConfig
from pyro_nem.data import TuneName

__all__ = ["sequence_defaults"]

# The sizes of the published tables, latents and recurrence alike.
_SIZES: dict[TuneName, int] = {"jsb": 32, "nottingham": 64}


def sequence_defaults(
    experiment: SequenceExperimentName, scale: Scale, tunes: TuneName, model: ModelName
) -> SequenceExperiment:
    """Return the settings of an experiment before the user's own options."""
    size = _SIZES[tunes]
    settings = SequenceExperiment(
        experiment=experiment,
        scale=scale,
        tunes=tunes,
        model=model,
        latent_size=0 if model == "rnn" else size,
        hidden_size=size,
        width=2 * size,
        layers=1,
        layer_norm=False,
        residual=False,
        smoothing=False,
        chunk=None,
        bound=BoundConfig(divergence="analytic"),
        resample=None,
        particles=(4, 64),
        sequences=None,
        training=TrainingConfig(
            updates=100_000,
            batch_size=4,
            learning_rate=1e-4,
            warmup=0,
            decay="constant",
            clip_norm=5.0,
            log_every=200,
            validate_every=1000,
        ),
        device="cpu",
    )
    if scale == "paper":
        return settings
    training = replace(
        settings.training,
        updates=1200,
        batch_size=16,
        learning_rate=3e-3,
        warmup=100,
        decay="cosine",
        log_every=50,
        validate_every=50,
    )
    settings = replace(settings, hidden_size=64, width=128, training=training)
    if model != "rnn":
        # While the KL weighs little the latents learn to be used.
        bound = replace(settings.bound, kl_warmup=700)
        settings = replace(settings, residual=True, smoothing=True, bound=bound)
    if tunes == "nottingham":
        settings = replace(settings, chunk=100)
    if scale == "laptop":
        return settings
    small = replace(training, updates=4, batch_size=4, warmup=1, log_every=1, validate_every=2)
    return replace(
        settings,
        latent_size=min(settings.latent_size, 8),
        hidden_size=16,
        width=16,
        chunk=20,
        bound=replace(settings.bound, kl_warmup=min(settings.bound.kl_warmup, 2)),
        particles=(4,),
        sequences=6,
        training=small,
    )
