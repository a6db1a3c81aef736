"""How the options of a run on images become settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from experiments.cli import resolve_device
from experiments.images.config import ImageExperiment
from experiments.images.defaults import LayerCount, image_defaults, learning_rate
from experiments.images.options import ImageOptions
from experiments.resolving import asked_for, choose_scale, given, require_same
from experiments.training_options import TRAINING
from inference import RunDirectory
from pyro_nem.checks import at_least
from pyro_nem.errors import ConfigError

__all__ = ["default_directory", "resolve", "resume_settings"]

_PARTICLES = 50
_SIZES = {"latent_size": "latent_sizes", "width": "widths"}


def resolve(options: ImageOptions) -> tuple[ImageExperiment, str]:
    """Return the settings that the options ask for, and why they have their scale.

    Raises
    ------
    ConfigError
        If options contradict each other.
    """
    device = resolve_device(options.device)
    scale, reason = choose_scale(options.scale, device)
    if options.experiment == "vae_mnist" and options.layers is not None:
        raise ConfigError("--layers: vae_mnist has one; leave it out, or run iwae_mnist")
    settings = image_defaults(
        options.experiment, scale, options.binarization or "dynamic", options.layers or 1
    )
    return replace(_changed(options, settings), device=device), reason


def resume_settings(options: ImageOptions, directory: RunDirectory) -> ImageExperiment:
    """Return the settings of the run in a folder, after checking the options against them.

    Raises
    ------
    CheckpointError
        If the folder holds another experiment, or an option contradicts its settings.
    ConfigError
        If the run's device is not there.
    """
    settings = ImageExperiment.from_dict(directory.read_settings(), str(directory.config))
    held = {**settings.to_dict(), "layers": settings.layers}
    asked = {
        **asked_for(options, _changed(options, settings).to_dict()),
        **given(options, ("experiment", "scale", "binarization", "layers")),
    }
    require_same(directory, held, asked)
    return replace(settings, device=resolve_device(options.device or settings.device))


def default_directory(settings: ImageExperiment) -> Path:
    """Return runs/EXPERIMENT/NAME, the name telling what is not the scale's default."""
    usual = _usual(settings)
    bound, training = settings.bound, settings.training
    particles = str(bound.particles) if bound.particles > 1 else ""
    parts: list[str] = [settings.scale, settings.binarization, bound.objective + particles]
    if settings.layers > 1:
        parts.append(f"{settings.layers}layers")
    if bound.gradient != _gradient(settings, bound.objective):
        parts.append(bound.gradient)
    if bound.divergence != _divergence(settings, bound.objective, bound.gradient):
        parts.append(bound.divergence)
    for name, field in _SIZES.items():
        if getattr(settings, field) != getattr(usual, field):
            parts.append(f"{name.replace('_', '-')}{getattr(settings, field)[0]}")
    if training.optimizer != usual.training.optimizer:
        parts.append(training.optimizer)
        usual_rate = learning_rate(training.optimizer, settings.scale)
        usual = replace(usual, training=replace(usual.training, learning_rate=usual_rate))
    for name in TRAINING:
        if name != "seed" and getattr(training, name) != getattr(usual.training, name):
            parts.append(f"{name.replace('_', '-')}{getattr(training, name)}")
    parts.append(f"seed{training.seed}")
    return Path("runs") / settings.experiment / "-".join(parts)


def _usual(settings: ImageExperiment) -> ImageExperiment:
    layers = cast(LayerCount, settings.layers)
    return image_defaults(settings.experiment, settings.scale, settings.binarization, layers)


def _changed(options: ImageOptions, settings: ImageExperiment) -> ImageExperiment:
    """Return settings with what the options ask for in their place."""
    changes: dict[str, Any] = {}
    for name, value in given(options, tuple(_SIZES)).items():
        option = "--" + name.replace("_", "-")
        at_least(1, **{option: value})
        if settings.layers > 1:
            raise ConfigError(
                f"{option}: several layers of latents have sizes of their own; leave it out, or "
                "use --layers 1"
            )
        changes[_SIZES[name]] = (value,)
    training = given(options, ("optimizer", *TRAINING))
    if options.optimizer is not None and options.optimizer != settings.training.optimizer:
        training.setdefault("learning_rate", learning_rate(options.optimizer, settings.scale))
    changes["training"] = replace(settings.training, **training)
    bound = given(options, ("objective", "particles", "gradient"))
    if options.objective is not None and options.objective != settings.bound.objective:
        bound.setdefault("particles", _PARTICLES if options.objective == "iwae" else 1)
        bound.setdefault("gradient", _gradient(settings, options.objective))
    held = settings.bound
    objective, gradient = (bound.get(n, getattr(held, n)) for n in ("objective", "gradient"))
    if options.divergence is not None:
        bound["divergence"] = options.divergence
    elif (objective, gradient) != (held.objective, held.gradient):
        bound["divergence"] = _divergence(settings, objective, gradient)
    changes["bound"] = replace(held, **bound)
    return replace(settings, **changes)


def _gradient(settings: ImageExperiment, objective: str) -> str:
    """Return the estimator of a bound's gradient if not asked."""
    return "dreg" if objective == "iwae" and settings.scale != "paper" else "standard"


def _divergence(settings: ImageExperiment, objective: str, gradient: str) -> str:
    """Return how the KL is taken if not asked: in closed form where there is one."""
    closed = objective != "iwae" and gradient == "standard" and settings.layers == 1
    return "analytic" if closed else "sampled"
