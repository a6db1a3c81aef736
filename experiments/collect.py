"""Gather finished runs into a table: ``python -m experiments.collect RUN_DIR ...``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import tyro

from experiments.cli import run_command
from experiments.images import ImageExperimentName
from experiments.images.table import image_rows
from experiments.tables.result_rows import ResultRow, to_rows, write_tables
from experiments.tables.run_groups import group_runs, setting_name
from inference import RunDirectory

__all__ = ["CollectOptions", "collect", "main"]


@dataclass(frozen=True)
class CollectOptions:
    """Write the scores of finished runs as a table: mean and deviation over seeds.

    Runs of equal settings but another seed form one row a metric. One JSON, one CSV and one
    Markdown file an experiment are written.
    """

    run_dirs: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of finished runs."""

    output: Path = Path("docs/results")
    """Folder for the tables."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    return run_command(CollectOptions, _run, "experiments.collect", arguments)


def _run(options: CollectOptions) -> int:
    rows = collect([RunDirectory(path) for path in options.run_dirs])
    for experiment in sorted({row.experiment for row in rows}):
        own = [row for row in rows if row.experiment == experiment]
        print(write_tables(own, options.output, experiment))
    return 0


def collect(runs: Sequence[RunDirectory]) -> list[ResultRow]:
    """Return a row for each metric of each group of runs that differ in seed and device only.

    For the errors see :func:`experiments.tables.run_groups.group_runs`.
    """
    of_images = [run for run in runs if _is_of_images(run)]
    rows = image_rows(of_images)
    if len(of_images) == len(runs) > 0:
        return rows
    for members in group_runs([run for run in runs if run not in of_images]):
        settings = members[0].settings
        rows += to_rows(
            [member.summary for member in members],
            experiment=settings.experiment,
            setting=setting_name(settings.to_dict()),
            scale=settings.scale,
            network=settings.network,
        )
    return rows


def _is_of_images(run: RunDirectory) -> bool:
    return run.read_settings().get("experiment") in get_args(ImageExperimentName)


if __name__ == "__main__":
    sys.exit(main())
