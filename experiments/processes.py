"""Commands as child processes, so many at a time, each with a log that is also its lock."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from experiments.cli import INTERRUPTED
from pyro_nem.errors import PyroNemError, StorageError
from pyro_nem.files import make_directory

__all__ = ["Job", "Outcome", "run_jobs"]

_POLL_SECONDS = 0.2
_TAIL_LINES = 12


class Job(NamedTuple):
    """A command that is to be run.

    Attributes
    ----------
    name
        What reports call it.
    log
        File to which its output is added. Whoever runs the job holds a lock on it.
    prepare
        Takes the job's slot, from 0 to one less than the number of jobs at a time, and returns the
        command line, or None where nothing is left to do. It is called under the lock, when the
        job's turn has come, and so sees what others did meanwhile.
    """

    name: str
    log: Path
    prepare: Callable[[int], Sequence[str] | None]


class Outcome(NamedTuple):
    """How a job ended.

    Attributes
    ----------
    name
        The job's.
    state
        "finished", "failed", "interrupted", or "busy" (another process holds its lock).
    seconds
        Time that its process took.
    message
        Why it failed, with the end of its output; empty for the other states.
    """

    name: str
    state: Literal["finished", "failed", "interrupted", "busy"]
    seconds: float = 0.0
    message: str = ""


def run_jobs(
    jobs: Sequence[Job],
    at_once: int,
    *,
    should_stop: Callable[[], bool],
    started: Callable[[Job, Sequence[str]], None],
    ended: Callable[[Outcome], None],
    stopping: Callable[[], None] = lambda: None,
) -> list[Outcome]:
    """Run jobs, some at a time, and return how they ended, in that order.

    One job that fails does not stop the others. The processes are their own process groups: a
    Ctrl-C in the terminal reaches them through ``should_stop`` only, as one SIGTERM each.

    Parameters
    ----------
    jobs
        What is to be run.
    at_once
        How many at a time.
    should_stop
        Asked several times a second; True asks running processes to end, waits for them, and
        starts no more. If an exception comes instead, running processes are killed.
    started, ended, stopping
        Told of each process with its command line, of each outcome, and when ``should_stop`` asked
        processes to end.
    """
    waiting = deque(jobs)
    running: dict[int, _Child] = {}
    outcomes: list[Outcome] = []

    def note(outcome: Outcome) -> None:
        outcomes.append(outcome)
        ended(outcome)

    stopped = False
    try:
        while waiting or running:
            if not stopped and should_stop():
                stopped = True
                stopping()
                waiting.clear()
                for child in running.values():
                    child.process.terminate()
            if waiting and len(running) < at_once:
                slot = min(set(range(at_once)) - set(running))
                begun = _start(waiting.popleft(), slot, started)
                if isinstance(begun, Outcome):
                    note(begun)
                else:
                    running[slot] = begun
                continue
            for slot, child in list(running.items()):
                if child.process.poll() is not None:
                    del running[slot]
                    note(child.outcome())
            if running:
                time.sleep(_POLL_SECONDS)
    finally:
        for child in running.values():
            child.process.kill()
            child.process.wait()
    return outcomes


class _Child(NamedTuple):
    """A running process, when it began, and where its part of the log does."""

    job: Job
    process: subprocess.Popen[bytes]
    began: float
    offset: int

    def outcome(self) -> Outcome:
        """Return how the process, which has ended, did so."""
        seconds = time.monotonic() - self.began
        code = self.process.returncode
        if code == 0:
            return Outcome(self.job.name, "finished", seconds)
        if code in (INTERRUPTED, -signal.SIGTERM):
            return Outcome(self.job.name, "interrupted", seconds)
        how = f"exit code {code}" if code > 0 else f"killed by signal {-code}"
        with self.job.log.open("rb") as log:
            log.seek(self.offset)
            lines = log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
        message = "\n".join([f"{how}; the end of {self.job.log}:", *lines])
        return Outcome(self.job.name, "failed", seconds, message)


def _start(job: Job, slot: int, started: Callable[[Job, Sequence[str]], None]) -> _Child | Outcome:
    """Start a job under its lock, or return how it ended without a process."""
    try:
        make_directory(job.log.parent)
        with _locked_log(job.log) as log:
            if log is None:
                return Outcome(job.name, "busy")
            command = job.prepare(slot)
            if command is None:
                return Outcome(job.name, "finished")
            offset = log.tell()
            with _blocked(signal.SIGUSR1, signal.SIGUSR2):
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "PYTHONUNBUFFERED": "1"},
                    process_group=0,
                )
    except PyroNemError as error:
        return Outcome(job.name, "failed", message=str(error))
    started(job, command)
    return _Child(job, process, time.monotonic(), offset)


@contextlib.contextmanager
def _locked_log(path: Path) -> Iterator[BinaryIO | None]:
    """Yield a log to add to, locked, or None if another process holds the lock.

    The lock belongs to the open file, which a child process inherits as its output. So the lock
    lasts until the child and all of its own children have ended, even if this process is killed.
    """
    try:
        log = path.open("ab")
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error}; choose another folder") from error
    with log:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield log


@contextlib.contextmanager
def _blocked(*signals: signal.Signals) -> Iterator[None]:
    """Block signals, which a process started meanwhile inherits.

    A scheduler warns all processes of a job before its time is up; who started this one will stop
    it in its own way. Unheard, the warning would kill it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
