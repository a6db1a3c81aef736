"""The folder of a run, named by what tells it from others."""

from __future__ import annotations

from pathlib import Path

from experiments.frames.config import FrameExperiment
from experiments.frames.defaults import usual_recipe, usual_settings
from inference import BoundConfig

__all__ = ["default_run_directory"]


def default_run_directory(settings: FrameExperiment) -> Path:
    """Return runs/EXPERIMENT/NAME, the name telling what a user most often varies."""
    bound, usual = settings.bound, BoundConfig()
    as_usual = settings.recipe == usual_recipe(settings.experiment, settings.scale)
    recipe = [] if as_usual else [settings.recipe]
    parts = [settings.scale, *recipe, settings.guide, settings.network, settings.data_name]
    parts.append(f"k{settings.components}")
    if settings.staged:
        parts.append("staged")
    if not settings.attention:
        parts.append("no-attention")
    # Of the bound, what is not the default, as it is for most runs.
    if (bound.objective, bound.particles) != (usual.objective, usual.particles):
        parts.append(f"{bound.objective}{bound.particles}")
    parts += [
        word for word in (bound.gradient, bound.divergence) if word in ("stl", "dreg", "analytic")
    ]
    if bound.kl_warmup:
        parts.append(f"kl-warmup{bound.kl_warmup}")
    if bound.free_nats:
        parts.append(f"free{bound.free_nats:g}")
    if settings.execution.precision == "bfloat16":
        parts.append("bfloat16")
    parts += _unusual(settings)
    name = "-".join([*parts, f"seed{settings.training.seed}"])
    return Path("runs") / settings.experiment / name


def _unusual(settings: FrameExperiment) -> list[str]:
    """Return words for the settings of data and training that are not the scale's defaults."""
    usual = usual_settings(settings)
    training, expected = settings.training, usual.training
    named = [
        ("views-", "-".join(settings.views), "-".join(usual.views)),
        ("gradient-psi-", settings.gradient_psi, usual.gradient_psi),
        ("loss-", settings.step_weights, usual.step_weights),
        ("steps", settings.steps, usual.steps),
        ("noise", settings.noise.probability, usual.noise.probability),
        ("updates", training.updates, expected.updates),
        ("batch", training.batch_size, expected.batch_size),
        ("rate", training.learning_rate, expected.learning_rate),
        ("warmup", training.warmup, expected.warmup),
        ("decay-", training.decay, expected.decay),
        ("averaging", training.averaging, expected.averaging),
        ("clip", training.clip_norm, expected.clip_norm),
        ("patience", training.patience, expected.patience),
    ]
    return [f"{name}{value}" for name, value, default in named if value != default]
