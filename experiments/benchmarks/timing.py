"""Timing that can be compared: the kinds take turns, and medians count."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import torch

__all__ = ["medians_in_turns", "wait_for"]


def medians_in_turns(
    steps: Sequence[Callable[[], None]], repeats: int, device: str
) -> tuple[float, ...]:
    """Return the median time of each step in seconds.

    Parameters
    ----------
    steps
        What to time.
    repeats
        How often each is timed; one more round is run first.
    device
        Where they run; a GPU is waited for.
    """
    times: list[list[float]] = [[] for _ in steps]
    for repeat in range(repeats + 1):
        for kind, step in enumerate(steps):
            seconds = _time(step, device)
            if repeat > 0:
                times[kind].append(seconds)
    return tuple(statistics.median(measured) for measured in times)


def wait_for(device: str) -> None:
    """Wait until a GPU has done what it was asked for; a CPU has."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def _time(step: Callable[[], None], device: str) -> float:
    wait_for(device)
    started = time.perf_counter()
    step()
    wait_for(device)
    return time.perf_counter() - started
