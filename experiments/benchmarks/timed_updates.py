"""Time updates in processes that torchrun started, with the arguments B T K N.

What :mod:`experiments.benchmarks.processes` runs; the first process prints seconds an update.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from experiments.benchmarks.training_step import ClipTask, random_clip
from experiments.frames.assembly import build_objective
from experiments.frames.defaults import defaults
from inference import joined
from inference.update import Update

__all__ = ["main"]

_SIDE = 28


def main(arguments: Sequence[str]) -> None:
    """Do updates of flying shapes on this process's share of the batch, and time them."""
    batch, steps, components, repeats = map(int, arguments)
    settings = replace(
        defaults("flying_shapes", "paper", None, None), steps=steps, components=components
    )
    with joined(settings.device) as processes:
        clip = random_clip(processes.share.size(batch), steps, _SIDE, settings.device)
        objective = build_objective(settings, (_SIDE, _SIDE, 1))
        task = ClipTask(clip)
        update = Update(task, objective, settings.training, deferred=False, processes=processes)
        seconds = []
        for number in range(repeats + 1):
            processes.wait()
            started = time.perf_counter()
            update(clip, number)
            seconds.append(time.perf_counter() - started)
        if processes.writes:
            print(statistics.median(seconds[1:]))


if __name__ == "__main__":
    main(sys.argv[1:])
