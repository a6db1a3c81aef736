"""The cost of sharing an update between processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass

from pyro_nem.data import Share
from pyro_nem.errors import ProcessError

__all__ = ["ProcessesRow", "measure_processes"]


@dataclass(frozen=True)
class ProcessesRow:
    """One measurement, with as many threads in all; ``ratio`` = seconds / reference_seconds.

    The reference is one process with all the threads.
    """

    benchmark: str
    processes: int
    batch_size: int
    components: int
    steps: int
    seconds: float
    reference_seconds: float
    ratio: float


def measure_processes(
    processes: int, size: tuple[int, int, int], repeats: int, rounds: int = 3
) -> ProcessesRow:
    """Time an update of flying shapes, the paper's network, in several CPU processes and in one.

    Both are started by torchrun, in turns; medians count.

    Parameters
    ----------
    processes
        How many share each batch, with one thread each; the single one has as many threads.
    size
        B, T, K.
    repeats
        Timed updates of each start.
    rounds
        How often each is started.

    Raises
    ------
    ConfigError
        If they cannot share the batch equally.
    ProcessError
        If one of them fails.
    """
    Share(0, processes).size(size[0])
    kinds: dict[int, list[float]] = {processes: [], 1: []}
    for _ in range(rounds):
        for count, found in kinds.items():
            found.append(_seconds(count, processes // count, size, repeats))
    seconds, reference = (statistics.median(kinds[count]) for count in (processes, 1))
    batch, steps, components = size
    return ProcessesRow(
        benchmark="processes",
        processes=processes,
        batch_size=batch,
        components=components,
        steps=steps,
        seconds=seconds,
        reference_seconds=reference,
        ratio=seconds / reference,
    )


def _seconds(count: int, threads: int, size: tuple[int, int, int], repeats: int) -> float:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    launcher += ["--nproc-per-node", str(count), "-m", "experiments.benchmarks.timed_updates"]
    done = subprocess.run(
        [*launcher, *map(str, (*size, repeats))],
        env={**os.environ, "OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ProcessError(
            f"processes: timing {count} of them failed, see the end of what they said:\n"
            f"{done.stderr[-2000:]}"
        )
    return float(done.stdout.split()[-1])
