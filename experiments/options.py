"""The options of ``python -m experiments.run`` and how they become settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tyro

from experiments.cli import Choice, Count, File, Number, Text, resolve_device
from experiments.config import ExperimentName, FrameExperiment, GuideName, NetworkName, Scale
from experiments.defaults import defaults
from inference import BoundConfig, Divergence, Estimator, ObjectiveName, RunDirectory
from pyro_nem.errors import CheckpointError, ConfigError

__all__ = [
    "RunOptions",
    "check_one_source",
    "default_run_directory",
    "or_default",
    "resolve",
    "resume_settings",
]

ValueT = TypeVar("ValueT")


@dataclass(frozen=True)
class RunOptions:
    """Train a neural expectation maximization model and score its segmentation.

    Everything lands in one folder: config.json, metrics.jsonl, checkpoints/, figures/ and, at the
    end, summary.json. Stop with Ctrl-C at any time and continue with --resume.
    """

    experiment: tyro.conf.Positional[ExperimentName]
    """What to run: shapes flying through a video, static images of shapes, or balls of different
    mass that collide, in the open or behind a curtain."""

    scale: Annotated[Scale | None, Choice] = None
    """How large: smoke (seconds, only to see that it runs), laptop (minutes on two CPU cores, and
    it learns) or paper (the published protocol; wants a GPU). Default: paper where PyTorch finds
    a CUDA device, else laptop."""

    guide: Annotated[GuideName | None, Choice] = None
    """How the mixture is inverted: n-em (gradient ascent with a learned step, meant for static
    images), rnn-em (a recurrent M-step), r-nem (the same with interaction of the components) or
    vrnn (stochastic states with a learned prior). Default: r-nem for balls, else rnn-em."""

    network: Annotated[NetworkName | None, Choice] = None
    """official (the paper's layers) or located (small; a component draws one thing at one place).
    Default: the scale's."""

    attention: Annotated[Literal["on", "off"] | None, Choice] = None
    """Weight the effects of other components by attention (guide r-nem). Default: on."""

    objective: Annotated[ObjectiveName | None, Choice] = None
    """The bound: elbo, vae (its name beside iwae), iwae, or trace_enum (Pyro's own elbo, the
    reference). Point-mass guides have one exact bound, whatever its name. Default: elbo."""

    particles: Count = None
    """S, draws of the states for each sequence (guide vrnn). Default: 1."""

    gradient: Annotated[Estimator | None, Choice] = None
    """Estimator of the bound's gradient: standard, stl (leaves out the score of q) or dreg (doubly
    reparameterised, for iwae). Default: standard."""

    divergence: Annotated[Divergence | None, Choice] = None
    """The KL of the states (guide vrnn): sampled at the draws, or analytic. Default: sampled."""

    kl_warmup: Count = None
    """Updates over which the weight of that KL rises to 1. Default: 0, at once."""

    free_nats: Number = None
    """KL of a component and step that costs nothing in training, in nats. Default: 0."""

    components: Count = None
    """K, the number of components; as many as objects or more."""

    objects: Count = None
    """Objects in each generated video or image."""

    most_objects: Count = None
    """Balls: from --objects to this many in each video."""

    steps: Count = None
    """T, the steps of the recurrence; each explains the next frame."""

    data: File = None
    """An HDF5 file in the published layout to use instead of generated shapes."""

    noise: Number = None
    """Probability that a pixel of the guide's input is flipped."""

    seed: Count = None
    """Seed of weights, data order, noise and first responsibilities (not of the data). Default:
    0."""

    updates: Count = None
    """Number of optimiser updates."""

    batch_size: Count = None
    """Sequences in an update."""

    learning_rate: Number = None
    """Adam's learning rate."""

    clip_norm: Number = None
    """Scale gradients down to this norm."""

    patience: Count = None
    """Stop after this many validations without a lower loss."""

    test_sequences: Count = None
    """Test sequences to score at the end."""

    run_dir: File = None
    """Folder of the run. Default: runs/EXPERIMENT/NAME, the name made from the settings."""

    resume: bool = False
    """Continue the run in that folder from its last checkpoint."""

    device: Text = None
    """cpu, cuda or cuda:N. Default: CUDA where there is one."""

    threads: Count = None
    """CPU threads. Default: PyTorch's choice, the number of cores."""


# Options that set the field of the same name in FrameExperiment, BoundConfig and TrainingConfig.
_SETTINGS = ("components", "objects", "most_objects", "steps", "test_sequences", "data")
_BOUND = ("objective", "particles", "gradient", "divergence", "kl_warmup", "free_nats")
_TRAINING = ("updates", "batch_size", "learning_rate", "clip_norm", "patience", "seed")


def resolve(options: RunOptions) -> tuple[FrameExperiment, str]:
    """Return the settings that the options ask for, and why they have their scale.

    Raises
    ------
    ConfigError
        If options contradict each other.
    """
    device = resolve_device(options.device)
    if options.scale is not None:
        scale, reason = options.scale, "asked for with --scale"
    elif device.startswith("cuda"):
        scale, reason = "paper", "there is a CUDA device"
    else:
        scale, reason = "laptop", "there is no CUDA device; --scale paper runs the full protocol"
    settings = defaults(options.experiment, scale, options.guide, options.network)
    check_one_source(options.data, options.objects)
    changes = _given(options, _SETTINGS)
    if options.objects is not None and options.components is None:
        # As many components as the experiment spares for its usual number of objects.
        changes["components"] = options.objects + settings.components - settings.objects
    if options.noise is not None:
        changes["noise"] = replace(settings.noise, probability=options.noise)
    if settings.frames > 1:
        changes["frames"] = max(settings.frames, changes.get("steps", settings.steps) + 1)
    if options.attention is not None:
        changes["attention"] = options.attention == "on"
    changes["bound"] = replace(settings.bound, **_given(options, _BOUND))
    changes["training"] = replace(settings.training, **_given(options, _TRAINING))
    return replace(settings, device=device, **changes), reason


def check_one_source(data: Path | None, objects: int | None) -> None:
    """Check that data are not asked for twice, as a file and as generated objects.

    Raises
    ------
    ConfigError
        If they are.
    """
    if data is not None and objects is not None:
        raise ConfigError(
            "--objects describes generated data, but --data brings its own; leave one of them out"
        )


def or_default(value: ValueT | None, default: ValueT) -> ValueT:
    """Return an option's value, or the default if it was left out; 0 is a value."""
    return default if value is None else value


def resume_settings(options: RunOptions, directory: RunDirectory) -> FrameExperiment:
    """Return the settings of the run in a folder, after checking the options against them.

    Raises
    ------
    CheckpointError
        If the folder holds another experiment, or an option contradicts its settings.
    ConfigError
        If the run's device is not there.
    """
    settings = FrameExperiment.from_dict(directory.read_settings(), str(directory.config))
    given = _given(options, ("experiment", "scale", "guide", "network", *_SETTINGS))
    held: dict[str, Any] = {name: getattr(settings, name) for name in given}
    for names, part in ((_BOUND, settings.bound), (_TRAINING, settings.training)):
        asked = _given(options, names)
        held.update({name: getattr(part, name) for name in asked})
        given.update(asked)
    if options.attention is not None:
        given["attention"] = options.attention
        held["attention"] = "on" if settings.attention else "off"
    if options.noise is not None:
        given["noise"], held["noise"] = options.noise, settings.noise.probability
    for name, value in given.items():
        if value != held[name]:
            raise CheckpointError(
                f"{directory.path}: holds a run with {name.replace('_', '-')} {held[name]}, but "
                f"the command line asks for {value}; leave the option out to continue this run, or "
                "choose another folder with --run-dir"
            )
    return replace(settings, device=resolve_device(options.device or settings.device))


def default_run_directory(settings: FrameExperiment) -> Path:
    """Return runs/EXPERIMENT/NAME, the name telling what a user most often varies."""
    bound = settings.bound
    # The bound is in the name where it is not the default, as for most runs.
    particles = "" if bound.particles == 1 else str(bound.particles)
    objective = f"-{bound.objective}{particles}" if bound != BoundConfig() else ""
    if bound.gradient != "standard":
        objective += f"-{bound.gradient}"
    name = (
        f"{settings.scale}-{settings.guide}-{settings.network}-{settings.data_name}"
        f"-k{settings.components}{objective}-seed{settings.training.seed}"
    )
    return Path("runs") / settings.experiment / name


def _given(options: RunOptions, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the options among ``names`` that the user gave, as the settings hold them."""
    values = {name: getattr(options, name) for name in names}
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in values.items()
        if value is not None
    }
