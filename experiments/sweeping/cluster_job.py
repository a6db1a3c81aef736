"""What runs on a node of a cluster. Imports submitit, which is an optional extra."""

from __future__ import annotations

import shlex
import signal
import time
from collections.abc import Sequence
from types import FrameType

import submitit

from experiments.processes import Job, Outcome, run_jobs

__all__ = ["ClusterJob"]


class ClusterJob(submitit.helpers.Checkpointable):
    """A job that is requeued when its time is up or it is preempted, and then goes on.

    A scheduler sends submitit's signal shortly before it ends a job. Here it stops the job's
    process, which saves, before submitit's own handler requeues this object.

    Parameters
    ----------
    job
        What to run; its command is asked for anew each time.
    grace
        Seconds that the process has to end by itself after the signal. Slurm may have sent it a
        SIGTERM already, and a second one would cut its saving short.
    """

    def __init__(self, job: Job, grace: float = 10.0) -> None:
        self.job = job
        self.grace = grace

    def __call__(self) -> Outcome:
        """Run the job and return how it ended."""
        number = signal.Signals[f"SIG{submitit.JobEnvironment.USR_SIG}"]
        stop_at: list[float] = []
        warned: list[bool] = []

        def warn(signum: int, frame: FrameType | None) -> None:
            warned.append(True)
            stop_at.append(time.monotonic() + self.grace)

        def cancel(signum: int, frame: FrameType | None) -> None:
            stop_at.append(time.monotonic())

        requeue = signal.signal(number, warn)
        interrupt = signal.signal(signal.SIGINT, cancel)
        (outcome,) = run_jobs(
            [self.job],
            1,
            should_stop=lambda: bool(stop_at) and time.monotonic() >= min(stop_at),
            started=_print_start,
            ended=lambda outcome: None,
        )
        if outcome.state == "interrupted":
            # A preemption's SIGTERM may come before its warning.
            deadline = time.monotonic() + self.grace
            while not stop_at and time.monotonic() < deadline:
                time.sleep(0.1)
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(number, requeue)
        if outcome.state == "interrupted" and warned:
            signal.raise_signal(number)
        return outcome


def _print_start(job: Job, command: Sequence[str]) -> None:
    print(f"{shlex.join(command)}, output in {job.log}", flush=True)
