"""The settings of speech and handwriting at each scale.

The paper scale has the sizes of Chung et al. (2015): those of Blizzard and IAM-OnDB as in their
released code, those of TIMIT as they are remembered, with Blizzard's widths of the baselines. Free
spoken digits have TIMIT's and Omniglot IAM-OnDB's, as nothing is published for them. All networks
have one width here, where the released code gives phi_x and the decoder a larger one. Updates are
not published.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from experiments.scale import Scale
from experiments.sequences.config import CorpusName, LawName, ModelName, SequenceExperiment
from inference import BoundConfig, TrainingConfig
from pyro_nem.data import SequenceSchedule

__all__ = ["SPEECH", "recorded_defaults"]

SPEECH: Final = ("digits", "timit", "blizzard")
"""The corpora of speech; the others are handwriting."""


class _Published(NamedTuple):
    """Sizes and optimiser of the paper scale."""

    hidden_size: int
    latent_size: int
    width: int
    rnn_width: int
    rnn_mixture_width: int
    layers: int
    batch_size: int
    learning_rate: float


_TIMIT = _Published(2000, 200, 500, 800, 700, 4, 64, 1e-3)
_BLIZZARD = _Published(4000, 200, 500, 800, 700, 4, 128, 3e-4)
_IAM = _Published(1200, 50, 150, 340, 300, 1, 20, 3e-4)

_PUBLISHED: dict[CorpusName, _Published] = {
    "digits": _TIMIT,
    "timit": _TIMIT,
    "blizzard": _BLIZZARD,
    "omniglot": _IAM,
    "iam": _IAM,
}


def recorded_defaults(
    corpus: CorpusName, scale: Scale, model: ModelName, *, mixture: bool = False
) -> SequenceExperiment:
    """Return the settings of an experiment on recordings before the user's own options.

    Parameters
    ----------
    corpus, scale, model, mixture
        See :func:`experiments.sequences.defaults.sequence_defaults`.
    """
    speech = corpus in SPEECH
    sizes = _PUBLISHED[corpus]
    rnn_width = sizes.rnn_mixture_width if mixture else sizes.rnn_width
    output: LawName | None = None
    if speech:
        output = "gaussian" if scale == "paper" else "autoregressive"
    settings = SequenceExperiment(
        experiment="speech" if speech else "handwriting",
        scale=scale,
        tunes=None,
        corpus=corpus,
        data_dir=None,
        normalisation=None if speech else "pooled",
        output=output,
        components=None if speech else 20,
        model=model,
        latent_size=0 if model == "rnn" else sizes.latent_size,
        hidden_size=sizes.hidden_size,
        width=rnn_width if model == "rnn" else sizes.width,
        layers=sizes.layers,
        layer_norm=False,
        batch_norm=False,
        residual=False,
        smoothing=False,
        chunk=None,
        bound=BoundConfig(divergence="analytic"),
        particles=(4,),
        schedule=SequenceSchedule(),
        training_sequences=None,
        held_out=None,
        training=TrainingConfig(
            updates=100_000,
            batch_size=sizes.batch_size,
            learning_rate=sizes.learning_rate,
            warmup=0,
            decay="constant",
            clip_norm=5.0,
            log_every=200,
            validate_every=1000,
        ),
        device="cpu",
    )
    return settings if scale == "paper" else _smaller(settings)


def _smaller(settings: SequenceExperiment) -> SequenceExperiment:
    """Return the settings below the paper scale."""
    speech = settings.experiment == "speech"
    training = replace(
        settings.training,
        updates=2500 if speech else 1500,
        batch_size=32,
        learning_rate=1.5e-3,
        warmup=100,
        decay="cosine",
        log_every=50,
        validate_every=250,
    )
    settings = replace(
        settings,
        hidden_size=256,
        width=256,
        layers=2 if speech else 1,
        # A second of spoken digits, and most drawings whole.
        chunk=40 if speech else 100,
        training=training,
    )
    if settings.latent_size:
        # While the KL weighs little the latents learn to be used.
        bound = replace(settings.bound, kl_warmup=800 if speech else 500)
        settings = replace(settings, latent_size=32, residual=True, smoothing=True, bound=bound)
    if settings.scale == "laptop":
        return settings
    small = replace(training, updates=4, batch_size=4, warmup=1, log_every=1, validate_every=2)
    return replace(
        settings,
        latent_size=min(settings.latent_size, 8),
        hidden_size=16,
        width=16,
        chunk=20,
        components=None if settings.components is None else 3,
        bound=replace(settings.bound, kl_warmup=min(settings.bound.kl_warmup, 2)),
        training_sequences=12,
        held_out=4,
        training=small,
    )
