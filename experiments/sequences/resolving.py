"""How the options of a run on sequences become settings."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from experiments.cli import resolve_device
from experiments.resolving import asked_for, choose_scale, given, require_same
from experiments.scale import Scale
from experiments.sequences.config import SequenceExperiment
from experiments.sequences.data_options import (
    chosen_collection,
    data_changes,
    data_name,
    is_mixture,
)
from experiments.sequences.defaults import sequence_defaults
from experiments.sequences.options import SequenceOptions
from experiments.training_options import TRAINING
from inference import BoundConfig, Estimator, RunDirectory
from inference.bound_config import WEIGHTED
from pyro_nem.data import SequenceSchedule
from pyro_nem.errors import ConfigError

__all__ = ["default_directory", "resolve", "resume_settings", "usual_settings"]

_SETTINGS = ("latent_size", "hidden_size", "width", "layers", "chunk")
_SWITCHES = ("layer_norm", "batch_norm", "residual", "smoothing")
_SCHEDULE = tuple(field.name for field in fields(SequenceSchedule))
_BOUND = ("particles", "gradient", "kl_warmup", "free_nats")


def resolve(options: SequenceOptions) -> tuple[SequenceExperiment, str]:
    """Return the settings that the options ask for, and why they have their scale.

    Raises
    ------
    ConfigError
        If options contradict each other.
    """
    device = resolve_device(options.device)
    scale, reason = choose_scale(options.scale, device)
    tunes, corpus = chosen_collection(options)
    model = options.model or "vrnn"
    settings = sequence_defaults(
        options.experiment,
        scale,
        model,
        tunes=tunes,
        corpus=corpus,
        mixture=is_mixture(options.experiment, options.law, options.components),
    )
    found = _warmed_up(options, settings, _changed(options, settings))
    return replace(found, device=device), reason


def resume_settings(options: SequenceOptions, directory: RunDirectory) -> SequenceExperiment:
    """Return the settings of the run in a folder, after checking the options against them.

    Raises
    ------
    CheckpointError
        If the folder holds another experiment, or an option contradicts its settings.
    ConfigError
        If the run's device is not there.
    """
    settings = SequenceExperiment.from_dict(directory.read_settings(), str(directory.config))
    asked = {
        **asked_for(options, _changed(options, settings).to_dict()),
        **given(options, ("experiment", "scale", "tunes", "corpus", "model")),
    }
    require_same(directory, settings.to_dict(), asked)
    return replace(settings, device=resolve_device(options.device or settings.device))


def default_directory(settings: SequenceExperiment) -> Path:
    """Return runs/EXPERIMENT/NAME, the name telling what is not the scale's default."""
    usual = usual_settings(settings)
    bound = settings.bound
    parts: list[str] = [settings.scale, *data_name(settings), settings.model]
    if settings.latent_size:
        parts.append(bound.objective + (str(bound.particles) if bound.particles > 1 else ""))
    for name in _SWITCHES:
        if getattr(settings, name) != getattr(usual, name):
            parts.append(("" if getattr(settings, name) else "no-") + name.replace("_", "-"))
    if bound.gradient != _gradient(bound.objective, settings.scale, settings.batch_norm):
        parts.append(bound.gradient)
    if bound.divergence != _divergence(bound.objective, bound.gradient, usual.bound):
        parts.append(bound.divergence)
    pairs: list[tuple[Any, Any, str]] = [(settings, usual, name) for name in _SETTINGS]
    if bound.objective not in WEIGHTED:
        pairs += [(bound, usual.bound, name) for name in ("kl_warmup", "free_nats")]
    pairs += [(settings.schedule, usual.schedule, name) for name in _SCHEDULE]
    pairs += [(settings.training, usual.training, name) for name in TRAINING if name != "seed"]
    for mine, default, name in pairs:
        if getattr(mine, name) != getattr(default, name):
            parts.append(f"{name.replace('_', '-')}{getattr(mine, name)}")
    parts.append(f"seed{settings.training.seed}")
    return Path("runs") / settings.experiment / "-".join(parts)


def usual_settings(settings: SequenceExperiment) -> SequenceExperiment:
    """Return the defaults of the scale for the same experiment, data and model."""
    return sequence_defaults(
        settings.experiment,
        settings.scale,
        settings.model,
        tunes=settings.tunes,
        corpus=settings.corpus,
        mixture=is_mixture(settings.experiment, settings.output, settings.components),
    )


def _changed(options: SequenceOptions, settings: SequenceExperiment) -> SequenceExperiment:
    """Return settings with what the options ask for in their place."""
    if settings.model == "rnn":
        latent = ("latent_size", "batch_norm", "residual", "smoothing")
        for name in given(options, ("objective", "divergence", *_BOUND, *latent)):
            raise ConfigError(
                f"--{name.replace('_', '-')}: a model without latents has its exact likelihood; "
                "leave it out, or use --model vrnn"
            )
    changes = given(options, _SETTINGS)
    for name, value in changes.items():
        if value < 1:
            raise ConfigError(f"--{name.replace('_', '-')}: expected at least 1, got {value}")
    changes.update({name: value == "on" for name, value in given(options, _SWITCHES).items()})
    changes.update(data_changes(options, settings))
    changes["schedule"] = replace(settings.schedule, **given(options, _SCHEDULE))
    _check_schedule(options, changes["schedule"])
    changes["training"] = replace(settings.training, **given(options, TRAINING))
    bound = given(options, _BOUND)
    if options.objective is not None and options.objective != settings.bound.objective:
        weighted = options.objective in WEIGHTED
        bound["objective"] = options.objective
        bound.setdefault("particles", 4 if weighted else settings.bound.particles)
        normalised = changes.get("batch_norm", settings.batch_norm)
        bound.setdefault("gradient", _gradient(options.objective, settings.scale, normalised))
        if weighted:
            # It has no KL of its own to weigh.
            bound.setdefault("kl_warmup", 0)
    bound["divergence"] = options.divergence or _divergence(
        bound.get("objective", settings.bound.objective),
        bound.get("gradient", settings.bound.gradient),
        settings.bound,
    )
    changes["bound"] = replace(settings.bound, **bound)
    return replace(settings, **changes)


def _warmed_up(
    options: SequenceOptions, usual: SequenceExperiment, found: SequenceExperiment
) -> SequenceExperiment:
    """Return settings whose KL warms up over the usual share of their updates, if not asked.

    Raises
    ------
    ConfigError
        If a warm-up or curriculum that was asked for ends after the training.
    """
    updates = found.training.updates
    for name, lost in (
        ("kl_warmup", "the KL would never count in full"),
        ("curriculum", "no update would see whole sequences"),
    ):
        asked = getattr(options, name)
        # The smoke scale only shows that commands run, those for longer trainings too.
        if asked is not None and asked > updates and found.scale != "smoke":
            option = "--" + name.replace("_", "-")
            raise ConfigError(
                f"{option}: expected at most the {updates} updates of the training, got {asked}, "
                f"so that {lost}; choose fewer, or more --updates"
            )
    if options.kl_warmup is not None:
        return found
    share = found.bound.kl_warmup / usual.training.updates
    return replace(found, bound=replace(found.bound, kl_warmup=round(share * updates)))


def _check_schedule(options: SequenceOptions, schedule: SequenceSchedule) -> None:
    for name, master in (("memory", "replay"), ("shortest", "curriculum")):
        if getattr(options, name) is not None and not getattr(schedule, master):
            raise ConfigError(
                f"--{name}: has no effect without --{master}; leave it out, or give both"
            )


def _gradient(objective: str, scale: Scale, batch_norm: bool) -> Estimator:
    """Return the estimator of a bound's gradient if not asked."""
    doubly = objective == "iwae" and scale != "paper" and not batch_norm
    return "dreg" if doubly else "standard"


def _divergence(objective: str, gradient: str, usual: BoundConfig) -> str:
    """Return how the KL is taken if not asked: in closed form, unless the bound has draws of it."""
    closed = objective not in WEIGHTED and gradient == "standard"
    return usual.divergence if closed else "sampled"
