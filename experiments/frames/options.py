"""How the options of a command become settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import torch

from experiments.cli import resolve_device
from experiments.frames.config import FrameExperiment, GuideName
from experiments.frames.defaults import defaults
from experiments.frames.digit_options import check_digits
from experiments.frames.run_options import RunOptions
from experiments.frames.sources import asked_file, check_one_source
from experiments.resolving import choose_scale, given, require_same
from experiments.training_options import TRAINING
from inference import Execution, RunDirectory
from inference.guides import View, count_channels
from pyro_nem.errors import ConfigError

__all__ = ["resolve", "resume_settings", "to_score"]

# Options that set the field of the same name in FrameExperiment, BoundConfig and TrainingConfig.
_SETTINGS = (
    "components",
    "objects",
    "most_objects",
    "variant",
    "steps",
    "step_weights",
    "test_sequences",
)
_BOUND = ("objective", "particles", "gradient", "divergence", "kl_warmup", "free_nats")
_EXECUTION = ("precision", "compile", "capture", "resident")
_SWITCHES = ("attention", "gradient_psi")


def resolve(options: RunOptions) -> tuple[FrameExperiment, str]:
    """Return the settings that the options ask for, and why they have their scale.

    Raises
    ------
    ConfigError
        If options contradict each other.
    """
    device = resolve_device(options.device)
    scale, reason = choose_scale(options.scale, device)
    check_digits(options)
    settings = defaults(
        options.experiment,
        scale,
        options.guide,
        options.network,
        options.variant,
        options.recipe,
        options.staged,
    )
    check_one_source(options)
    _check_guide_options(options, settings.guide)
    changes = given(options, _SETTINGS)
    if options.objects is not None:
        changes["most_objects"] = options.most_objects
    most = _most(replace(settings, **changes))
    if options.components is None:
        # As many components as the experiment spares for its usual number of objects.
        changes["components"] = most + settings.components - _most(settings)
    if options.noise is not None:
        changes["noise"] = replace(settings.noise, probability=options.noise)
    if settings.frames > 1:
        changes["frames"] = max(settings.frames, changes.get("steps", settings.steps) + 1)
    changes["data"] = asked_file(options, replace(settings, **changes))
    for name, value in given(options, _SWITCHES).items():
        changes[name] = value == "on"
    if options.views is not None:
        changes["views"] = _views(options.views)
    changes["bound"] = replace(settings.bound, **given(options, _BOUND))
    if options.gradient == "dreg":
        # The estimator follows every draw to what it changes later.
        changes.update(gradient_gamma=True, gradient_psi=True)
    changes["training"] = replace(settings.training, **given(options, TRAINING))
    # A few updates are over before anything is compiled.
    execution = Execution() if scale == "smoke" else Execution.usual(device)
    changes["execution"] = _execution(options, execution, device)
    return replace(settings, device=device, **changes), reason


def _most(settings: FrameExperiment) -> int:
    """Return how many objects a generated sequence has at most."""
    return settings.objects if settings.most_objects is None else settings.most_objects


def _execution(options: RunOptions, usual: Execution, device: str) -> Execution:
    """Return how the arithmetic is carried out, as the options ask."""
    asked = {
        name: value if name == "precision" else value == "on"
        for name, value in given(options, _EXECUTION).items()
    }
    execution = replace(usual, **asked)
    execution.check(device)
    return execution


def to_score(settings: FrameExperiment, device: str | None) -> FrameExperiment:
    """Return settings to score a run with on a device, in the precision of its training.

    On another kind of device that which suits it, unless the run is of bfloat16.
    """
    resolved = resolve_device(device)
    precision = _on_device(settings, resolved).precision
    return replace(settings, device=resolved, execution=Execution(precision))


def _on_device(settings: FrameExperiment, device: str) -> Execution:
    if torch.device(device).type == torch.device(settings.device).type:
        return settings.execution
    usual = Execution.usual(device)
    coarse = settings.execution.precision == "bfloat16"
    return replace(usual, precision="bfloat16") if coarse else usual


def _check_guide_options(options: RunOptions, guide: GuideName) -> None:
    """Check that no option is given that the guide has no use for.

    Raises
    ------
    ConfigError
        If one is.
    """
    if options.attention is not None and guide != "r-nem":
        raise ConfigError(
            f"--attention: the components of guide {guide} do not interact; leave it out, or use "
            "--guide r-nem"
        )
    asked = given(options, ("views", "gradient_psi"))
    if asked and guide == "n-em":
        option = "--" + next(iter(asked)).replace("_", "-")
        raise ConfigError(
            f"{option}: gradient N-EM follows the gradient of what it sees, the masked residual; "
            "leave it out, or use --guide rnn-em"
        )
    asked = given(options, ("particles", "gradient", "divergence", "kl_warmup", "free_nats"))
    if asked and guide != "vrnn":
        option = "--" + next(iter(asked)).replace("_", "-")
        raise ConfigError(
            f"{option}: the states of guide {guide} are point masses, which are not drawn and have "
            "no KL; leave it out, or use --guide vrnn"
        )


def resume_settings(options: RunOptions, directory: RunDirectory) -> FrameExperiment:
    """Return the settings of the run in a folder, after checking the options against them.

    Raises
    ------
    CheckpointError
        If the folder holds another experiment, or an option contradicts its settings.
    ConfigError
        If options contradict each other or have no use, or the run's device is not there.
    """
    check_digits(options)
    check_one_source(options)
    settings = FrameExperiment.from_dict(directory.read_settings(), str(directory.config))
    asked = given(options, ("experiment", "scale", "recipe", "guide", "network", *_SETTINGS))
    held: dict[str, Any] = {name: getattr(settings, name) for name in asked}
    if (file := asked_file(options, settings)) is not None:
        asked["data"], held["data"] = file, settings.data
    for names, part in ((_BOUND, settings.bound), (TRAINING, settings.training)):
        own = given(options, names)
        held.update({name: getattr(part, name) for name in own})
        asked.update(own)
    for name, value in given(options, _SWITCHES).items():
        asked[name], held[name] = value, "on" if getattr(settings, name) else "off"
    if options.views is not None:
        asked["views"], held["views"] = options.views, ",".join(settings.views)
    if options.staged:
        asked["staged"], held["staged"] = True, settings.staged
    if options.noise is not None:
        asked["noise"], held["noise"] = options.noise, settings.noise.probability
    if options.precision is not None and "bfloat16" in (
        options.precision,
        settings.execution.precision,
    ):
        # Which of the others it is may differ: they are the same to all that is reported.
        asked["precision"], held["precision"] = options.precision, settings.execution.precision
    require_same(directory, held, asked)
    _check_guide_options(options, settings.guide)
    device = resolve_device(options.device or settings.device)
    execution = _execution(options, _on_device(settings, device), device)
    return replace(settings, device=device, execution=execution)


def _views(text: str) -> tuple[View, ...]:
    """Return the views of a list with commas."""
    views = cast(tuple[View, ...], tuple(text.split(",")))
    try:
        count_channels(views, 1)
    except ConfigError as error:
        raise ConfigError(f"--{error}") from error
    return views
