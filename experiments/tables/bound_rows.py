"""Finished runs on sequences and images as rows of a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

from experiments.images.config import ImageExperiment
from experiments.kinds import kind_of
from experiments.sequences.config import SequenceExperiment
from experiments.sequences.data_options import data_name
from experiments.tables.posterior_rows import POSTERIOR_SECTION, posterior_scores
from experiments.tables.published import published
from experiments.tables.result_rows import ResultRow, to_rows
from experiments.tables.seed_groups import Member, check_names, seed_groups
from inference import RunDirectory
from inference.diagnostics import read_posterior

__all__ = ["bound_rows", "setting_name"]

# What ``summary.json`` has beside scores.
_COUNTS = ("images", "likelihood_images", "sequences", "steps")

BoundExperiment = SequenceExperiment | ImageExperiment


class _About(TypedDict):
    experiment: str
    setting: str
    scale: str
    network: str


def setting_name(settings: BoundExperiment) -> str:
    """Return what tells a row from others: the name of the run's folder, less scale and seed."""
    name = kind_of(settings.experiment).folder(settings).name
    return name.removeprefix(f"{settings.scale}-").removesuffix(f"-seed{settings.training.seed}")


def bound_rows(runs: Sequence[RunDirectory]) -> list[ResultRow]:
    """Return a row for each score of each group of runs that differ in seed and device only.

    Behind them stand what trivial models come to on each of the data, of sequences only, and what
    the posteriors of a group say, if all its runs have one.

    Parameters
    ----------
    runs
        Finished runs on sequences or images.

    Raises
    ------
    CheckpointError
        If a run is not finished.
    ConfigError
        If two runs are of the same settings and seed, or of others with rows of the same name.
    """
    rows: list[ResultRow] = []
    described: list[ResultRow] = []
    floors: dict[tuple[str, ...], ResultRow] = {}
    members = [_member(run) for run in runs]
    groups = seed_groups((_key(member.settings), member) for member in members)
    names = [setting_name(group[0].settings) for group in groups]
    check_names(groups, names)
    for group, name in zip(groups, names, strict=True):
        settings = group[0].settings
        about: _About = {
            "experiment": settings.experiment,
            "setting": name,
            "scale": settings.scale,
            "network": "lstm" if isinstance(settings, SequenceExperiment) else "tanh",
        }
        rows += to_rows(
            [member.summary for member in group],
            metrics=_metrics(group[0].summary),
            paper=published(settings),
            **about,
        )
        described += _described(group, about)
        for row in _floors(group[0]):
            floors.setdefault((row.experiment, row.setting, row.scale, row.metric), row)
    return [*rows, *floors.values(), *described]


def _described(group: Sequence[Member[BoundExperiment]], about: _About) -> list[ResultRow]:
    """Return what the posteriors of a group say; nothing if a run has none."""
    files = [member.directory.posterior for member in group]
    if not all(file.is_file() for file in files):
        return []
    found = [posterior_scores(read_posterior(file)) for file in files]
    scores = [
        {**member.summary, **{f"test.{name}": value for name, value in each.items()}}
        for member, each in zip(group, found, strict=True)
    ]
    return to_rows(scores, metrics=list(found[0]), section=POSTERIOR_SECTION, **about)


def _member(run: RunDirectory) -> Member[BoundExperiment]:
    held = run.read_settings()
    settings = kind_of(held["experiment"]).settings.from_dict(held, str(run.config))
    return Member(run, settings, run.read_summary())


def _key(settings: BoundExperiment) -> str:
    alike = replace(settings, device="", training=replace(settings.training, seed=0))
    return json.dumps(alike.to_dict(), sort_keys=True)


def _metrics(summary: Mapping[str, Any]) -> list[str]:
    names = [name.removeprefix("test.") for name in summary if name.startswith("test.")]
    return [name for name in names if name not in _COUNTS]


def _floors(member: Member[BoundExperiment]) -> list[ResultRow]:
    """Return the scores of trivial models that a run has printed, which have no seeds."""
    settings, summary = member.settings, member.summary
    if not isinstance(settings, SequenceExperiment):
        return []
    data = [word for word in data_name(settings) if word != settings.output]
    return [
        ResultRow(
            experiment=settings.experiment,
            setting="-".join([*data, "floor"]),
            scale=settings.scale,
            network="none",
            metric=name,
            mean=value,
            std=None,
            seeds=[],
            values=[],
            paper=None,
            command=summary["command"],
            commit=summary["commit"],
            device=summary["device"],
            wall_seconds=summary["wall_seconds"],
            section="floors",
        )
        for name, value in summary.items()
        if name.startswith("floor.")
    ]
