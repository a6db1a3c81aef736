"""Run a grid of runs: ``python -m experiments.sweep flying_shapes --components 3 5``."""

from __future__ import annotations

import functools
import shlex
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from experiments.assembly import data_file
from experiments.cli import INTERRUPTED, run_command
from experiments.cluster import run_on_cluster
from experiments.collect import collect
from experiments.grid import GridPoint, expand, split_arguments, to_axes
from experiments.processes import Job, Outcome, run_jobs
from experiments.result_rows import write_tables
from experiments.run_state import run_state
from experiments.stages import stages
from experiments.sweep_options import SweepOptions
from inference import Interruption, RunDirectory, duration
from pyro_nem.errors import CheckpointError, ConfigError

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
            print(_intention(point, options))
        return 0
    outcomes = {outcome.name: outcome.state for outcome in _run_points(points, options)}
    states = {name: outcomes.get(name, "interrupted") for name in map(_name, points)}
    _tabulate([point for point in points if states[_name(point)] == "finished"], options)
    missing = {name: state for name, state in states.items() if state != "finished"}
    if not missing:
        return 0
    for name, state in missing.items():
        print(f"{state}: {name}", file=sys.stderr)
    print("the same command goes on with these", file=sys.stderr)
    return INTERRUPTED if "interrupted" in missing.values() else 1


def _grid(options: SweepOptions, passed: Sequence[str]) -> list[GridPoint]:
    axes = to_axes(passed, _OWN)
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


def _intention(point: GridPoint, options: SweepOptions) -> str:
    """Return a line that says what would be done with a run."""
    try:
        state = run_state(point.settings, point.directory)
    except CheckpointError as error:
        return f"broken       {error}"
    command = _command(point, options, 0)
    return f"{state:<13}{_name(point) if command is None else shlex.join(command)}"


def _command(point: GridPoint, options: SweepOptions, slot: int) -> list[str] | None:
    """Return what starts or continues a run, None if it is finished; see :class:`Job`."""
    state = run_state(point.settings, point.directory)
    if state == "finished":
        return None
    command = [sys.executable, "-m", "experiments.run", *point.arguments]
    if options.devices:
        command += ["--device", options.devices[slot % len(options.devices)]]
    if (threads := options.threads_of_a_run()) is not None:
        command += ["--threads", str(threads)]
    return [*command, "--resume"] if state == "interrupted" else command


def _run_points(points: Sequence[GridPoint], options: SweepOptions) -> list[Outcome]:
    """Run what is not finished, telling of each start and end, and return how all ended."""
    by_name = {_name(point): point for point in points}
    outcomes: list[Outcome] = []
    jobs: list[Job] = []

    def started(job: Job, command: Sequence[str]) -> None:
        how = "continued" if "--resume" in command else "started"
        print(f"{how}: {job.name}", flush=True)

    def ended(outcome: Outcome) -> None:
        outcomes.append(outcome)
        print(f"{len(outcomes)}/{len(points)} {_describe(outcome)}", flush=True)

    for name, point in by_name.items():
        try:
            state = run_state(point.settings, point.directory)
        except CheckpointError as error:
            ended(Outcome(name, "failed", message=str(error)))
            continue
        if state == "finished":
            ended(Outcome(name, "finished"))
        else:
            prepare = functools.partial(_command, point, options)
            jobs.append(Job(name, point.directory.log, prepare))
    if not jobs:
        return outcomes
    for point in points:
        # Runs that start together would all generate the same file.
        for stage in stages(point.settings, point.directory):
            data_file(stage.settings)
    print(f"{len(jobs)} runs to do; the output of each is in {jobs[0].log.name} in its folder")
    if options.cluster is not None:
        run_on_cluster(
            jobs,
            options.cluster,
            options.cluster_options,
            options.output / "submitit" / "%j",
            at_once=options.jobs,
            ended=ended,
        )
        return outcomes
    with Interruption() as interruption:
        run_jobs(
            jobs,
            options.runs_at_once(),
            should_stop=interruption.requested,
            started=started,
            stopping=lambda: print("stopping: the runs save; a second Ctrl-C kills them"),
            ended=ended,
        )
    return outcomes


def _describe(outcome: Outcome) -> str:
    """Return a line on how a run ended; more lines if it failed."""
    line = f"{outcome.state}: {outcome.name}"
    if outcome.seconds:
        line += f" after {duration(outcome.seconds)}"
    if outcome.state == "busy":
        line += ", in which another process works"
    directory = RunDirectory(Path(outcome.name))
    # A file written on another machine may not be seen here yet.
    if outcome.state == "finished" and directory.summary.exists():
        summary = directory.read_summary()
        if summary.get("test.ami") is not None:
            line += f", test AMI {summary['test.ami']:.3f} (last {summary['test.ami_last']:.3f})"
    return "\n    ".join([line, *outcome.message.splitlines()])


def _name(point: GridPoint) -> str:
    return str(point.directory.path)


def _tabulate(points: Sequence[GridPoint], options: SweepOptions) -> None:
    """Print and write the table of runs that are finished."""
    if not points:
        return
    rows = collect([point.directory for point in points])
    print(write_tables(rows, options.output, options.experiment))
    print(f"in {options.output}: {options.experiment}.md, .csv and .json")


if __name__ == "__main__":
    sys.exit(main())
