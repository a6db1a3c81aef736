"""Gather finished runs into a table: ``python -m experiments.collect RUN_DIR ...``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from experiments.cli import File, run_command
from experiments.kinds import FRAMES
from experiments.scale import tables_folder
from experiments.tables.bound_plans import BOUND_PLANS
from experiments.tables.bound_rows import bound_rows
from experiments.tables.kept_rows import read_notes, write_joined
from experiments.tables.plan import PLANS
from experiments.tables.posterior_rows import posterior_notes
from experiments.tables.published import published
from experiments.tables.result_rows import ResultRow, to_rows
from experiments.tables.run_groups import group_runs, setting_name
from experiments.tables.seed_groups import check_names
from inference import RunDirectory

__all__ = ["CollectOptions", "collect", "main"]


@dataclass(frozen=True)
class CollectOptions:
    """Write the scores of finished runs as a table: mean and deviation over seeds.

    Runs of equal settings but another seed form one row a metric. One JSON, one CSV and one
    Markdown file an experiment are written. Rows that are there and whose runs are not named stay,
    and seeds that are not are joined by those that are.
    """

    run_dirs: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of finished runs."""

    output: File = None
    """Folder for the tables. Default: docs/results; with runs at the smoke scale runs/tables."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    return run_command(CollectOptions, _run, "experiments.collect", arguments)


def _run(options: CollectOptions) -> int:
    rows = collect([RunDirectory(path) for path in options.run_dirs])
    output = options.output or tables_folder(row.scale for row in rows)
    for experiment in sorted({row.experiment for row in rows}):
        own = [row for row in rows if row.experiment == experiment]
        # What a table has of its own, as a link to its figure, stays.
        notes = (
            _notes(experiment) | posterior_notes(own) | read_notes(output / f"{experiment}.json")
        )
        print(write_joined(own, output, experiment, notes))
    if rows:
        print(f"in {output}")
    return 0


def collect(runs: Sequence[RunDirectory]) -> list[ResultRow]:
    """Return a row for each metric of each group of runs that differ in seed and device only.

    For the errors see :func:`experiments.tables.run_groups.group_runs`,
    :func:`experiments.tables.seed_groups.check_names` and
    :func:`experiments.tables.bound_rows.bound_rows`.
    """
    of_frames = [run for run in runs if _is_of_frames(run)]
    rows = bound_rows([run for run in runs if run not in of_frames])
    if runs and not of_frames:
        return rows
    groups = group_runs(of_frames)
    names = [setting_name(members[0].settings) for members in groups]
    check_names(groups, names)
    for members, name in zip(groups, names, strict=True):
        settings = members[0].settings
        rows += to_rows(
            [member.summary for member in members],
            experiment=settings.experiment,
            setting=name,
            scale=settings.scale,
            network=settings.network,
            paper=published(settings),
        )
    return rows


def _notes(experiment: str) -> dict[str, str]:
    """Return what the table of an experiment says of its rows; nothing if it has no table."""
    plans = (*PLANS.values(), *BOUND_PLANS.values())
    return next(({"main": plan.note} for plan in plans if plan.file == experiment), {})


def _is_of_frames(run: RunDirectory) -> bool:
    return run.read_settings().get("experiment") in FRAMES.names


if __name__ == "__main__":
    sys.exit(main())
