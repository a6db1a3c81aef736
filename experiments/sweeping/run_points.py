"""Runs of a grid, started or continued side by side."""

from __future__ import annotations

import functools
import shlex
import sys
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path

from experiments.cli import INTERRUPTED
from experiments.kinds import kind_of
from experiments.processes import Job, Outcome, run_jobs
from experiments.sweeping.cluster import run_on_cluster
from experiments.sweeping.grid import GridPoint
from experiments.sweeping.options import SweepOptions
from experiments.sweeping.run_state import run_state
from inference import Interruption, RunDirectory, duration
from pyro_nem.errors import CheckpointError

__all__ = ["exit_code", "intention", "run_name", "run_points"]


def run_name(point: GridPoint) -> str:
    """Return what outcomes and reports call a run, its folder."""
    return str(point.directory.path)


def intention(point: GridPoint, options: SweepOptions) -> str:
    """Return a line that says how far a run is and which command would be run, if any."""
    try:
        state = run_state(point.settings, point.directory)
    except CheckpointError as error:
        return f"broken       {error}"
    command = _command(point, options, 0)
    return f"{state:<13}{run_name(point) if command is None else shlex.join(command)}"


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


def run_points(
    points: Sequence[GridPoint],
    options: SweepOptions,
    *,
    time_is_up: Callable[[], bool] = lambda: False,
) -> list[Outcome]:
    """Run what is not finished, telling of each start and end, and return how all ended.

    Runs that did not begin, because of Ctrl-C, SIGTERM or the time, are not among the outcomes.

    Parameters
    ----------
    points
        The runs.
    options
        How many at a time, and where.
    time_is_up
        Asked several times a second, but for runs on a cluster; True stops all as Ctrl-C does.
    """
    by_name = {run_name(point): point for point in points}
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
    waiting: dict[Hashable, GridPoint] = {}
    for job in jobs:
        point = by_name[job.name]
        waiting.setdefault(kind_of(point.settings.experiment).data(point.settings), point)
    for point in waiting.values():
        # Runs that start together would all generate or download the same file.
        kind_of(point.settings.experiment).prepare(point.settings, point.directory)
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
            should_stop=lambda: interruption.requested() or time_is_up(),
            started=started,
            stopping=lambda: print("stopping: the runs save; a second Ctrl-C kills them"),
            ended=ended,
        )
    return outcomes


def exit_code(points: Sequence[GridPoint], outcomes: Sequence[Outcome]) -> int:
    """Say which runs are not finished and return the exit code of their command.

    0 when all are finished, 1 when some are not, 130 after Ctrl-C or SIGTERM.

    Parameters
    ----------
    points
        The runs.
    outcomes
        What :func:`run_points` returned of them.
    """
    ended = {outcome.name: outcome.state for outcome in outcomes}
    states = {name: ended.get(name, "interrupted") for name in map(run_name, points)}
    missing = {name: state for name, state in states.items() if state != "finished"}
    if not missing:
        return 0
    for name, state in missing.items():
        print(f"{state}: {name}", file=sys.stderr)
    print("the same command goes on with these", file=sys.stderr)
    return INTERRUPTED if "interrupted" in missing.values() else 1


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
