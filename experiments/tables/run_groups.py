"""Runs of equal settings but another seed, and what such a setting is called."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from experiments.frames.config import FrameExperiment
from experiments.frames.defaults import usual_network, usual_recipe, usual_settings
from experiments.frames.open_run import trained_settings
from experiments.tables.seed_groups import Member, seed_groups
from experiments.training_options import TRAINING
from inference import RunDirectory
from pyro_nem.errors import ConfigError

__all__ = ["frames_name", "group_runs", "model_names", "setting_name", "what_counts"]

_FRAMES = ("steps", "test_sequences", "data")


def what_counts(settings: FrameExperiment) -> dict[str, Any]:
    """Return the settings without where and how they are carried out.

    Whether products were in float32 or TF32, and what was compiled or captured, does not count;
    bfloat16 is coarse enough to.
    """
    coarse = settings.execution.precision == "bfloat16"
    return {**settings.to_dict(), "device": None, "execution": coarse}


def group_runs(runs: Sequence[RunDirectory]) -> list[list[Member[FrameExperiment]]]:
    """Return finished runs in groups that differ in seed and device only, seeds in order.

    Raises
    ------
    CheckpointError
        If a run is not finished.
    ConfigError
        If there is no run, or two runs are of the same settings and seed.
    """
    if not runs:
        raise ConfigError("run_dirs: expected at least one folder of a finished run, got none")
    members = [Member(run, trained_settings(run), run.read_summary()) for run in runs]
    return seed_groups((_key(member.settings), member) for member in members)


def _key(settings: FrameExperiment) -> str:
    alike = replace(settings, training=replace(settings.training, seed=0))
    return json.dumps(what_counts(alike), sort_keys=True)


def model_names(groups: Sequence[Sequence[Member[FrameExperiment]]]) -> list[str]:
    """Return a name of each group that no other has: its setting, or if need be its first folder.

    Parameters
    ----------
    groups
        What :func:`group_runs` returned.
    """
    settings = [members[0].settings for members in groups]
    names = [f"{setting_name(s)}, {s.scale}, {s.network}" for s in settings]
    folders = [str(members[0].directory.path) for members in groups]
    return [
        name if names.count(name) == 1 else folder
        for name, folder in zip(names, folders, strict=True)
    ]


def _in_words(value: Any) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def setting_name(settings: FrameExperiment) -> str:
    """Return what tells a row of a table from others; defaults and folders are left out."""
    usual = usual_settings(settings)
    parts: list[str] = [settings.guide]
    if settings.experiment == "flying_mnist":
        parts[0] = "staged" if settings.staged else "direct"
    if settings.experiment in ("flying_mnist", "static_shapes"):
        if (settings.objects, settings.components) != (usual.objects, usual.components):
            parts[0] += f" {settings.objects}/{settings.components}"
    else:
        most = "" if settings.most_objects is None else f"-{settings.most_objects}"
        parts[0] = f"{settings.objects}{most}/{settings.components}"
    if settings.experiment != "static_shapes" and settings.guide != "rnn-em":
        parts[0] += f" {settings.guide}"
    bound = settings.bound
    if bound.objective != usual.bound.objective or bound.particles > 1:
        parts[0] += f" {bound.objective}-{bound.particles}"
    if settings.recipe != usual_recipe(settings.experiment, settings.scale):
        parts.append(f"{settings.recipe} recipe")
    if settings.network != usual_network(settings.recipe, settings.guide):
        parts.append(f"{settings.network} network")
    parts += _variant(settings)
    if settings.guide == "r-nem" and not settings.attention:
        parts.append("no attention")
    for name in ("gradient", "divergence", "kl_warmup", "free_nats"):
        if getattr(bound, name) != getattr(usual.bound, name):
            parts.append(f"{name.replace('_', ' ')} {getattr(bound, name)}")
    for name in TRAINING:
        if name != "seed" and getattr(settings.training, name) != getattr(usual.training, name):
            title = name.replace("_size", "").replace("_", " ")
            parts.append(f"{title} {getattr(settings.training, name)}")
    if settings.views != usual.views:
        parts.append("views " + " ".join(settings.views))
    parts += _unusual(settings, ("gradient_psi", "step_weights", *_FRAMES))
    if settings.noise != usual.noise:
        parts.append(f"noise {settings.noise.probability}")
    if settings.execution.precision == "bfloat16":
        parts.append("bfloat16")
    return ", ".join(parts)


def frames_name(settings: FrameExperiment) -> str:
    """Return what tells the frames of a run from others; "" if all of them are the defaults."""
    objects = _unusual(settings, ("objects", "most_objects"))
    return ", ".join([*objects, *_variant(settings), *_unusual(settings, _FRAMES)])


def _unusual(settings: FrameExperiment, names: Sequence[str]) -> list[str]:
    """Return words for those settings that are not the defaults, without folders."""
    shown, usual = settings.without_folders(), usual_settings(settings)
    return [
        f"{name.replace('_', ' ')} {_in_words(getattr(shown, name))}"
        for name in names
        if getattr(shown, name) != getattr(usual, name)
    ]


def _variant(settings: FrameExperiment) -> list[str]:
    return [] if settings.variant in (None, "full") else [f"{settings.variant} digits"]
