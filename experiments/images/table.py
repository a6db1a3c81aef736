"""Finished runs on images as rows of a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from experiments.images.config import ImageExperiment
from experiments.images.resolving import default_directory
from experiments.tables.result_rows import ResultRow, to_rows
from inference import RunDirectory
from pyro_nem.errors import ConfigError

__all__ = ["image_rows", "setting_name"]


def setting_name(settings: ImageExperiment) -> str:
    """Return what tells a row from others: the name of the run's folder, less scale and seed."""
    name = default_directory(settings).name
    return name.removeprefix(f"{settings.scale}-").removesuffix(f"-seed{settings.training.seed}")


def image_rows(runs: Sequence[RunDirectory]) -> list[ResultRow]:
    """Return a row for each metric of each group of runs that differ in seed and device only.

    Parameters
    ----------
    runs
        Finished runs of vae_mnist and iwae_mnist.

    Raises
    ------
    CheckpointError
        If a run is not finished.
    ConfigError
        If two runs are of the same settings and seed.
    """
    groups: dict[str, dict[int, tuple[ImageExperiment, RunDirectory]]] = {}
    for run in runs:
        settings = ImageExperiment.from_dict(run.read_settings(), str(run.config))
        seed = settings.training.seed
        alike = replace(settings, device="", training=replace(settings.training, seed=0))
        group = groups.setdefault(json.dumps(alike.to_dict(), sort_keys=True), {})
        if seed in group:
            raise ConfigError(
                f"{run.path}: seed {seed} of these settings is there twice, in "
                f"{group[seed][1].path} too; name each run once"
            )
        group[seed] = settings, run
    rows = []
    for group in groups.values():
        settings = next(iter(group.values()))[0]
        summaries = [group[seed][1].read_summary() for seed in sorted(group)]
        rows += to_rows(
            summaries,
            experiment=settings.experiment,
            setting=setting_name(settings),
            scale=settings.scale,
            network="tanh",
            metrics=_metrics(settings),
        )
    return rows


def _metrics(settings: ImageExperiment) -> list[str]:
    draws = (*settings.particles, settings.likelihood_particles)
    active = [f"active_z_{layer}" for layer in range(1, settings.layers + 1)]
    return ["nll_elbo", "kl", *(f"nll_iwae_{count}" for count in draws), *active]
