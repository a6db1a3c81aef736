"""Make the report of a run again: ``python -m experiments.report RUN_DIR``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from experiments.cli import File, run_command
from experiments.report import write_report
from inference import RunDirectory

__all__ = ["ReportOptions", "main"]


@dataclass(frozen=True)
class ReportOptions:
    """Make report.html of a finished run again, from the files in its folder.

    Nothing is trained or scored. The report is one file without links to others, so it can be
    sent to somebody who has nothing else of the run.
    """

    run_dir: tyro.conf.Positional[Path]
    """Folder of the run."""

    output: File = None
    """The file to write. Default: RUN_DIR/report.html."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    return run_command(ReportOptions, _run, "experiments.report", arguments)


def _run(options: ReportOptions) -> int:
    directory = RunDirectory(options.run_dir)
    path = options.output or directory.report
    write_report(directory, path)
    print(f"written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
