"""How the cost of a training step grows with each of its sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from experiments.benchmarks.peak_memory import peak_memory
from experiments.benchmarks.timing import medians_in_turns
from experiments.benchmarks.training_step import training_step
from experiments.frames.config import GuideName, NetworkName
from experiments.frames.defaults import defaults
from inference import BoundConfig

__all__ = ["Axis", "ScalingRow", "ScalingSlope", "StepSize", "measure_growth", "slope_of"]

Axis = Literal["batch_size", "steps", "components", "pixels", "particles"]
"""Which size grows: B, T, K, D or S."""


@dataclass(frozen=True)
class StepSize:
    """The sizes of a training step."""

    batch_size: int
    steps: int
    components: int
    pixels: int
    """D, the square of a whole number."""
    particles: int


@dataclass(frozen=True)
class ScalingRow:
    """One measurement; ``peak_bytes`` is beyond weights and the optimiser's moments."""

    benchmark: str
    axis: Axis
    guide: str
    batch_size: int
    steps: int
    components: int
    pixels: int
    particles: int
    seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class ScalingSlope:
    """Exponents of the growth along an axis: cost ~ size^slope."""

    axis: Axis
    time: float
    memory: float


def measure_growth(
    axis: Axis,
    base: StepSize,
    sizes: Sequence[int],
    network: NetworkName,
    repeats: int,
    device: str,
) -> list[ScalingRow]:
    """Measure a training step of flying shapes at several sizes along one axis.

    The guide is RNN-EM, along the axis of particles VRNN. The steps take turns, so that a machine
    that slows down slows all of them.

    Parameters
    ----------
    axis
        What grows.
    base
        The sizes along the other axes.
    sizes
        The sizes along this one.
    network
        Whose layers.
    repeats
        Timed steps of each size.
    device
        Where to run.
    """
    guide: GuideName = "vrnn" if axis == "particles" else "rnn-em"
    settings = defaults("flying_shapes", "paper", guide, network)
    grown = [replace(base, **{axis: size}) for size in sizes]
    steps = [
        training_step(
            replace(
                settings,
                steps=size.steps,
                components=size.components,
                bound=BoundConfig(particles=size.particles),
            ),
            size.batch_size,
            math.isqrt(size.pixels),
            device,
        )
        for size in grown
    ]
    seconds = medians_in_turns(steps, repeats, device)
    peaks = [peak_memory(step, device) for step in steps]
    return [
        ScalingRow("scaling", axis, guide, **vars(size), seconds=time, peak_bytes=peak)
        for size, time, peak in zip(grown, seconds, peaks, strict=True)
    ]


def slope_of(rows: Sequence[ScalingRow]) -> ScalingSlope:
    """Return the exponents of growth along the axis of at least two rows, by least squares."""
    axis = rows[0].axis
    sizes = np.log([getattr(row, axis) for row in rows])
    costs = np.log([(row.seconds, row.peak_bytes) for row in rows])  # [sizes, 2]
    time, memory = np.polyfit(sizes, costs, 1)[0]
    return ScalingSlope(axis, float(time), float(memory))
