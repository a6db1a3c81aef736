"""The settings of each experiment at each scale.

The paper scale follows the released code (README and named configurations of Greff et al. 2017, and
of van Steenkiste et al. 2018 for balls and the guide r-nem).
The laptop scale trains for minutes and is tested as the paper's is. The improved recipe has a small
network and a learning rate that rises and falls (docs/experiments.md has what each part gives).
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
from experiments.scale import Scale
from inference import BoundConfig, Execution, TrainingConfig
from inference.guides import LOCATED_VIEWS
from pyro_nem.data import Noise
from pyro_nem.errors import ConfigError

__all__ = ["at_variant", "defaults", "usual_network", "usual_recipe"]

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
    balls = experiment in BALLS
    if guide is None:
        guide = "r-nem" if balls else "rnn-em"
    if guide == "n-em" and network == "located":
        raise ConfigError(
            "--network located: gradient N-EM differentiates its own one-matrix decoder; leave "
            "--network out, or use --guide rnn-em"
        )
    settings = _balls(experiment, guide) if balls else _paper(experiment, guide)
    if experiment == "flying_mnist":
        settings = _digits(settings)
    if experiment == "sprites":
        settings = _sprites(settings)
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


def _paper(experiment: ExperimentName, guide: GuideName) -> FrameExperiment:
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


def _balls(experiment: ExperimentName, guide: GuideName) -> FrameExperiment:
    """Return the settings of R-NEM: 3 balls behind a curtain, else 4, in 51 frames of 64x64."""
    objects = 3 if experiment == "bouncing_balls_curtain" else 4
    settings = _paper(experiment, guide)
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
