"""The settings of each experiment at each scale.

They start from those of the papers. The laptop scale trains for minutes and is tested as the
paper's is. The improved recipe has a small network and a learning rate that rises and falls
(docs/experiments.md has what each part gives).
"""

from __future__ import annotations

from dataclasses import replace

from experiments.frames.config import (
    BALLS,
    LARGE,
    ExperimentName,
    FrameExperiment,
    GuideName,
    NetworkName,
    RecipeName,
    Variant,
)
from experiments.frames.paper_settings import paper_settings
from experiments.scale import Scale
from inference.guides import LOCATED_VIEWS
from pyro_nem.errors import ConfigError

__all__ = ["at_variant", "defaults", "usual_network", "usual_recipe", "usual_settings"]

# Learning rates of the released code, 1e-3 and 5e-4, as multiples of that for all digits.
_RATES: dict[Variant, float] = {"20": 2.0, "500": 1.0, "full": 1.0}


def defaults(
    experiment: ExperimentName,
    scale: Scale,
    guide: GuideName | None,
    network: NetworkName | None,
    variant: Variant | None = None,
    recipe: RecipeName | None = None,
    staged: bool = False,
) -> FrameExperiment:
    """Return the settings of an experiment before the user's own options.

    Parameters
    ----------
    experiment, scale
        What is run, and how large.
    guide
        How the mixture is inverted, or None for the experiment's own.
    network
        The network, or None for the recipe's own.
    variant
        The digits of flying_mnist, or None for all of them.
    recipe
        How it is trained, or None for the usual way of experiment and scale.
    staged
        Whether few digits are learned before all.

    Raises
    ------
    ConfigError
        If guide and network do not go together.
    """
    if guide is None:
        guide = "r-nem" if experiment in BALLS else "rnn-em"
    if guide == "n-em" and network == "located":
        raise ConfigError(
            "--network located: gradient N-EM differentiates its own one-matrix decoder; leave "
            "--network out, or use --guide rnn-em"
        )
    settings = paper_settings(experiment, guide)
    if guide == "n-em" and settings.pixels != "bernoulli":
        raise ConfigError(
            f"--guide n-em: gradient N-EM expects binary frames, and those of {experiment} are "
            "not; use --guide rnn-em"
        )
    if recipe is None:
        recipe = usual_recipe(experiment, scale)
    if scale != "paper":
        settings = _laptop(settings, staged)
    if recipe == "improved":
        settings = _improved(settings, scale)
    if scale == "smoke":
        settings = _smoke(settings)
    settings = replace(settings, scale=scale, recipe=recipe, staged=staged)
    if network is None:
        network = usual_network(recipe, guide)
    if network == "located":
        settings = _located(settings)
    return settings if variant is None else at_variant(settings, variant)


def usual_settings(settings: FrameExperiment) -> FrameExperiment:
    """Return what a run would have been without the options that vary the same experiment.

    Those that choose defaults are kept: scale, guide, network, digits, recipe and stages.
    """
    return defaults(
        settings.experiment,
        settings.scale,
        settings.guide,
        settings.network,
        settings.variant,
        settings.recipe,
        settings.staged,
    )


def usual_recipe(experiment: ExperimentName, scale: Scale) -> RecipeName:
    """Return how an experiment trains at a scale if not asked for another way.

    At the paper scale as the released code does, but for static shapes: of those alone the improved
    recipe has been measured to be better at equal compute (docs/experiments.md).
    """
    return "official" if scale == "paper" and experiment != "static_shapes" else "improved"


def usual_network(recipe: RecipeName, guide: GuideName) -> NetworkName:
    """Return the network of a recipe if not asked for another one."""
    return "official" if recipe == "official" or guide == "n-em" else "located"


def at_variant(settings: FrameExperiment, variant: Variant) -> FrameExperiment:
    """Return the settings of flying_mnist for other digits.

    The official recipe learns few digits at a higher rate.
    """
    training = settings.training
    if settings.recipe == "official":
        rate = training.learning_rate / _RATES[settings.variant or "full"] * _RATES[variant]
        training = replace(training, learning_rate=rate)
    return replace(settings, variant=variant, training=training)


def _laptop(settings: FrameExperiment, staged: bool) -> FrameExperiment:
    training = replace(
        settings.training,
        updates=2000,
        batch_size=32,
        log_every=50,
        validate_every=200,
        patience=None,
    )
    if settings.experiment in LARGE:
        # Frames have five times as many pixels as those of shapes, and sprites three channels.
        training = replace(training, updates=1500, batch_size=12)
        if settings.pixels == "gaussian":
            training = replace(training, updates=1200, batch_size=8, validate_every=100)
        settings = replace(settings, training_sequences=5_000)
        return replace(settings, training=training, validation_sequences=96, test_sequences=500)
    if settings.experiment == "flying_mnist":
        # Digits are of more kinds than shapes and take longer to learn.
        # The three stages together have as many updates as one training on all digits.
        training = replace(training, updates=1667 if staged else 5000)
        settings = replace(settings, training_sequences=20_000)
    return replace(settings, training=training, validation_sequences=256, test_sequences=1_000)


def _improved(settings: FrameExperiment, scale: Scale) -> FrameExperiment:
    """Return the settings with a higher learning rate, which rises and then falls to zero."""
    training = replace(settings.training, learning_rate=4e-3, warmup=100, decay="cosine")
    if scale == "paper":
        # A rate that falls to zero needs to know the end: a tenth of the official limit.
        training = replace(training, updates=39_050, patience=None)
    return replace(settings, training=training)


def _located(settings: FrameExperiment) -> FrameExperiment:
    """Return the settings with the small network and the way to train it.

    Static images are then trained as videos are: every step counts, and gamma is held fixed. The
    paper's loss on the last step alone leaves this network a much weaker signal.
    """
    return replace(
        settings,
        network="located",
        views=LOCATED_VIEWS,
        gradient_gamma=False,
        gradient_psi=False,
        step_weights="all",
    )


def _smoke(settings: FrameExperiment) -> FrameExperiment:
    training = replace(
        settings.training, updates=4, batch_size=4, warmup=1, log_every=1, validate_every=2
    )
    return replace(
        settings,
        training=training,
        # Such frames are large, and a few steps show that everything runs.
        steps=min(settings.steps, 8) if settings.experiment in LARGE else settings.steps,
        training_sequences=64,
        validation_sequences=8,
        test_sequences=8,
        iwae_particles=5,
        iwae_sequences=4,
    )
