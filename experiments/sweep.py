"""Run a grid of runs: ``python -m experiments.sweep flying_shapes --components 3 5``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import fields

from experiments.cli import run_command
from experiments.collect import collect
from experiments.sweeping.grid import GridPoint, expand, split_arguments, to_axes
from experiments.sweeping.options import SweepOptions
from experiments.sweeping.run_points import exit_code, intention, run_name, run_points
from experiments.tables.result_rows import write_tables
from pyro_nem.errors import ConfigError

__all__ = ["main"]

_PROGRAM = "experiments.sweep"
_OWN = {"--help", *("--" + field.name.replace("_", "-") for field in fields(SweepOptions))}
_PAPERS_SEEDS = 5


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0 when all runs are finished, 1 when some are not, 2 after an error, 130 after Ctrl-C or
    SIGTERM.
    """
    given = sys.argv[1:] if arguments is None else arguments
    own, passed = split_arguments(given, _OWN)
    return run_command(SweepOptions, lambda options: _run(options, passed), _PROGRAM, own)


def _run(options: SweepOptions, passed: Sequence[str]) -> int:
    points = _grid(options, passed)
    if options.dry_run:
        for point in points:
            print(intention(point, options))
        return 0
    outcomes = run_points(points, options)
    finished = {outcome.name for outcome in outcomes if outcome.state == "finished"}
    _tabulate([point for point in points if run_name(point) in finished], options)
    return exit_code(points, outcomes)


def _grid(options: SweepOptions, passed: Sequence[str]) -> list[GridPoint]:
    axes = to_axes(options.experiment, passed, _OWN)
    if options.seeds is not None and "--seed" in axes:
        raise ConfigError("--seeds: is a number of seeds, and --seed names them; give one of them")
    if options.cluster is not None and "--scale" not in axes:
        raise ConfigError(
            "--scale: has to be given with --cluster, since its default depends on the machine"
        )
    count = _PAPERS_SEEDS if options.seeds is None else options.seeds
    axes.setdefault("--seed", tuple(map(str, range(count))))
    device = "cpu" if options.cluster is not None else next(iter(options.devices), None)
    return expand(options.experiment, axes, device, _PROGRAM)


def _tabulate(points: Sequence[GridPoint], options: SweepOptions) -> None:
    """Print and write the table of runs that are finished."""
    if not points:
        return
    rows = collect([point.directory for point in points])
    print(write_tables(rows, options.output, options.experiment))
    print(f"in {options.output}: {options.experiment}.md, .csv and .json")


if __name__ == "__main__":
    sys.exit(main())
