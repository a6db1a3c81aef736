"""The options of ``python -m experiments.benchmark``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from experiments.cli import Choice, Count, Device, File, Number, Threads
from experiments.frames.config import GuideName, NetworkName
from pyro_nem.errors import ConfigError

__all__ = [
    "BoundOptions",
    "CommonOptions",
    "DataOptions",
    "EpochOptions",
    "PlacedOptions",
    "ProcessesOptions",
    "ScalingOptions",
    "StepOptions",
]


@dataclass(frozen=True)
class CommonOptions:
    """What all benchmarks have."""

    json: File = None
    """File to write the rows to."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            numbers = value if isinstance(value, tuple) else (value,)
            if any(type(number) is int and number < 1 for number in numbers):
                raise ConfigError(f"--{name.replace('_', '-')}: expected at least 1, got {value}")


@dataclass(frozen=True)
class RepeatedOptions(CommonOptions):
    """What benchmarks have that time a part of a training again and again."""

    repeats: int = 5
    """How often each is timed; once more is run first."""


@dataclass(frozen=True)
class PlacedOptions(CommonOptions):
    """What benchmarks have that run in this process."""

    threads: Threads = None

    device: Device = None


@dataclass(frozen=True)
class StepOptions(PlacedOptions, RepeatedOptions):
    """Time one training step of flying shapes (forward, backward, Adam) against eager PyTorch.

    The eager twin is the same written by hand, without Pyro, its convolutions as they are defined.
    Both take turns with the networks alone, and medians are compared. The guides see the paper's
    input. Beside the time stand peak memory, the share of E-steps, bound and Pyro, and how near
    the step comes to the arithmetic limit of the device.
    """

    guide: Annotated[GuideName | None, Choice] = None
    """n-em, rnn-em, r-nem or vrnn. Default: each of them."""

    network: NetworkName = "official"
    """Whose layers: the paper's, or those of the small located network."""

    batch_size: int = 64
    """B."""

    components: int = 3
    """K."""

    steps: int = 20
    """T."""

    compiled: bool = False
    """Time the step with compiled networks too, which takes a minute for each guide before."""


@dataclass(frozen=True)
class BoundOptions(PlacedOptions, RepeatedOptions):
    """Time the bound alone, value and gradient, against Pyro's TraceEnum_ELBO.

    States and pixel parameters are given; nothing is decoded. Beside it stands the same sum in
    plain PyTorch. All take turns, and the medians are compared.
    """

    batch_size: Count = None
    """B of a single row, in place of the table's; the other sizes have to be given too."""

    steps: Count = None
    """T of that row."""

    components: Count = None
    """K of that row."""

    pixels: Count = None
    """D of that row."""


@dataclass(frozen=True)
class DataOptions(PlacedOptions, RepeatedOptions):
    """Time the loading of flying shapes and bouncing balls against what a training step consumes.

    Batches come from our file of compressed bytes and from a float32 file as published, with and
    without reading ahead, and from frames that are resident on the device. All take turns, and the
    medians are compared.
    """

    sequences: int = 2048
    """Sequences of each kind of data, generated into the cache the first time."""

    batch_size: int = 64
    """B."""

    consumed: Number = None
    """Sequences that a training step consumes in a second. Default: measured, for each kind of
    data with the network and the steps of the paper."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.consumed is not None and not 0.0 < self.consumed < math.inf:
            raise ConfigError(f"--consumed: expected a number above 0, got {self.consumed}")
        if self.batch_size > self.sequences:
            raise ConfigError(
                f"--sequences: expected at least --batch-size {self.batch_size}, got "
                f"{self.sequences}"
            )


@dataclass(frozen=True)
class ProcessesOptions(RepeatedOptions):
    """Time an update that several CPU processes share against one process with their threads.

    Both do updates of flying shapes with the paper's network, started by torchrun in turns.
    """

    processes: int = 2
    """How many, with one thread each."""

    batch_size: int = 64
    """B, over all of them."""

    components: int = 3
    """K."""

    steps: int = 20
    """T."""


@dataclass(frozen=True)
class EpochOptions(PlacedOptions):
    """Time an epoch of flying shapes as a training does it, validation included.

    Two epochs are trained with the paper's settings, and the second one counts.
    """

    network: NetworkName = "official"
    """Whose layers: the paper's, or those of the small located network."""

    sequences: int = 50_000
    """Training sequences, generated into the cache the first time."""

    batch_size: int = 64
    """B."""


@dataclass(frozen=True)
class ScalingOptions(PlacedOptions, RepeatedOptions):
    """Time a training step, and measure its peak memory, as its sizes grow one at a time.

    The first size along each axis makes the base; choose it past the fixed costs. Along an axis of
    one size nothing is measured. A slope is the exponent of the growth, fitted by least squares: 1
    if the cost grows as the size does.
    """

    network: NetworkName = "official"
    """Whose layers: the paper's, or those of the small located network."""

    batch_size: tuple[int, ...] = (16, 32, 64)
    """B."""

    steps: tuple[int, ...] = (5, 10, 20)
    """T."""

    components: tuple[int, ...] = (3, 6, 12)
    """K."""

    pixels: tuple[int, ...] = (784, 1600, 3136)
    """D, squares of whole numbers."""

    particles: tuple[int, ...] = (1, 2, 4)
    """S, with the guide vrnn."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in vars(self).items():
            if isinstance(value, tuple) and len(set(value)) != max(len(value), 1):
                raise ConfigError(
                    f"--{name.replace('_', '-')}: expected one or more sizes, each once, got "
                    f"{value}"
                )
        if any(math.isqrt(pixels) ** 2 != pixels for pixels in self.pixels):
            raise ConfigError(
                f"--pixels: expected squares of whole numbers, such as 784, got {self.pixels}"
            )
