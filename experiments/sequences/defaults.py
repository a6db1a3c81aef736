"""The settings of each experiment on sequences at each scale.

The paper scale of chorales has what FIVO's released code has (Maddison et al. 2017): batches of 4,
four particles, a learning rate of 1e-4, and latents and a recurrence of one size, that of published
tables. Unlike there the other networks have twice that width; updates are about as many as others
report. The laptop scale learns in minutes; JSB is so small that more is memorised.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.scale import Scale
from experiments.sequences.config import (
    CorpusName,
    ModelName,
    SequenceExperiment,
    SequenceExperimentName,
)
from experiments.sequences.recorded_defaults import recorded_defaults
from inference import BoundConfig, TrainingConfig
from pyro_nem.data import SequenceSchedule, TuneName

__all__ = ["sequence_defaults"]

# The sizes of the published tables, latents and recurrence alike.
_SIZES: dict[TuneName, int] = {"jsb": 32, "nottingham": 64}


def sequence_defaults(
    experiment: SequenceExperimentName,
    scale: Scale,
    model: ModelName,
    *,
    tunes: TuneName | None = None,
    corpus: CorpusName | None = None,
    mixture: bool = False,
) -> SequenceExperiment:
    """Return the settings of an experiment before the user's own options.

    Parameters
    ----------
    experiment, scale, model, tunes, corpus
        What the user chose.
    mixture
        Whether the law of a step will be a mixture.
    """
    if corpus is not None:
        return recorded_defaults(corpus, scale, model, mixture=mixture)
    size = 32 if tunes is None else _SIZES[tunes]
    settings = SequenceExperiment(
        experiment=experiment,
        scale=scale,
        tunes=tunes,
        corpus=None,
        data_dir=None,
        normalisation=None,
        output=None,
        components=None,
        model=model,
        latent_size=0 if model == "rnn" else size,
        hidden_size=size,
        width=2 * size,
        layers=1,
        layer_norm=False,
        batch_norm=False,
        residual=False,
        smoothing=False,
        chunk=None,
        bound=BoundConfig(divergence="analytic"),
        particles=(4, 64),
        schedule=SequenceSchedule(),
        training_sequences=None,
        held_out=None,
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
    if experiment == "strokes":
        settings = _strokes(settings)
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
    if experiment == "strokes":
        # There are so many digits that nothing is memorised.
        training = replace(training, updates=1500, batch_size=64, validate_every=250)
        settings = replace(settings, hidden_size=128, training=training, held_out=1000)
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
        training_sequences=64 if tunes is None else 6,
        held_out=6,
        training=small,
    )


def _strokes(settings: SequenceExperiment) -> SequenceExperiment:
    """Return the settings of pen strokes, for which no VRNN was published."""
    training = replace(
        settings.training, updates=40_000, batch_size=64, learning_rate=1e-3, warmup=100
    )
    return replace(
        settings,
        hidden_size=256,
        width=256,
        particles=(4,),
        training=replace(training, decay="cosine"),
    )
