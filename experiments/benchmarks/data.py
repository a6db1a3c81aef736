"""How fast batches are supplied, beside how fast a training step consumes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypedDict

import h5py
import numpy as np

from experiments.benchmarks.timing import medians_in_turns
from experiments.benchmarks.training_step import training_step
from experiments.frames.defaults import defaults
from pyro_nem.data import (
    BallsConfig,
    FrameBatch,
    HDF5Frames,
    ResidentFrames,
    ShapesConfig,
    balls_file,
    epoch_batches,
    epoch_order,
    shapes_file,
)

__all__ = ["DataName", "DataRow", "consumed_per_second", "measure_data", "write_as_published"]

DataName = Literal["flying_shapes", "bouncing_balls"]

# The predecessor of the released code wrote float32 in compressed chunks of one frame of 100
# sequences. Blocks of 64 do not fit them, so chunks are read more than once.
_CHUNK = 100


class _Order(TypedDict):
    batch_size: int
    seed: int
    epoch: int


@dataclass(frozen=True)
class DataRow:
    """One measurement of an epoch; ``ratio`` = sequences supplied / sequences consumed.

    ``frames`` is T + 1. Megabytes are those of the frames as float32, as a step takes them.
    """

    benchmark: str
    data: str
    storage: str
    prefetch: bool
    sequences: int
    batch_size: int
    frames: int
    pixels: int
    seconds: float
    sequences_per_second: float
    megabytes_per_second: float
    consumed_per_second: float
    ratio: float


def consumed_per_second(data: DataName, batch_size: int, repeats: int, device: str) -> float:
    """Return the sequences that a training step of the paper scale consumes in a second.

    Parameters
    ----------
    data
        The experiment; its default guide and the paper's network are measured.
    batch_size
        B. On a CPU, balls are measured with at most 4 sequences: 64 would take 17 GB, and the time
        of a sequence hardly depends on their number.
    repeats
        Timed steps.
    device
        Where to run.
    """
    balls = data == "bouncing_balls"
    if balls and device == "cpu":
        batch_size = min(batch_size, 4)
    settings = defaults(data, "paper", None, None)
    step = training_step(settings, batch_size, 64 if balls else 28, device)
    (seconds,) = medians_in_turns([step], repeats, device)
    return batch_size / seconds


def measure_data(
    data: DataName, sequences: int, batch_size: int, consumed: float, repeats: int, device: str
) -> list[DataRow]:
    """Time epochs of batches that come in all ways there are.

    The ways are our own file of compressed bytes and a file as published, each with and without
    reading ahead, and frames resident on the device. Every batch ends up on the device. The ways
    take turns, and medians count.

    Parameters
    ----------
    data
        The experiment whose frames are generated into the cache, the first time.
    sequences
        How many.
    batch_size
        B.
    consumed
        Sequences that a training step consumes in a second.
    repeats
        Timed epochs of each way.
    device
        Where the batches are used.
    """
    frames = defaults(data, "paper", None, None).steps + 1
    options: _Order = {"batch_size": batch_size, "seed": 0, "epoch": 0}
    with ExitStack() as stack:
        ours = stack.enter_context(HDF5Frames(_file(data, sequences), "training"))
        copy = Path(stack.enter_context(TemporaryDirectory())) / "published.h5"
        write_as_published(copy, ours)
        published = stack.enter_context(HDF5Frames(copy, "training"))
        resident = ResidentFrames(ours, frames=frames, device=device)
        rows, columns, _ = ours.image_shape

        def epoch_of(source: HDF5Frames, prefetch: bool) -> Callable[[], None]:
            return lambda: _use(
                epoch_batches(source, frames=frames, prefetch=prefetch, **options), device
            )

        def resident_epoch() -> None:
            order = epoch_order(resident.num_sequences, **options).to(device)
            _use(map(resident.batch, order), device)

        ways = {
            ("bytes", False): epoch_of(ours, False),
            ("bytes", True): epoch_of(ours, True),
            ("float32", False): epoch_of(published, False),
            ("float32", True): epoch_of(published, True),
            ("resident", False): resident_epoch,
        }
        seconds = medians_in_turns(list(ways.values()), repeats, device)
    count = sequences // batch_size * batch_size
    return [
        DataRow(
            benchmark="data",
            data=data,
            storage=storage,
            prefetch=prefetch,
            sequences=count,
            batch_size=batch_size,
            frames=frames,
            pixels=rows * columns,
            seconds=time,
            sequences_per_second=count / time,
            megabytes_per_second=4e-6 * count * frames * rows * columns / time,
            consumed_per_second=consumed,
            ratio=count / time / consumed,
        )
        for (storage, prefetch), time in zip(ways, seconds, strict=True)
    ]


def write_as_published(path: Path, source: HDF5Frames) -> None:
    """Copy a split as the published files probably hold it; see ``_CHUNK``."""
    shape = (source.num_frames, source.num_sequences, *source.image_shape)
    most = min(_CHUNK, source.num_sequences)
    with h5py.File(path, "w") as file:
        for key in ("features", "groups"):
            file.create_dataset(
                f"training/{key}",
                shape,
                np.float32,
                chunks=(1, most, *source.image_shape),
                compression="gzip",
            )
        for start in range(0, source.num_sequences, most):
            stop = min(start + most, source.num_sequences)
            features, groups = source.read(start, stop)
            file["training/features"][:, start:stop] = features
            file["training/groups"][:, start:stop] = groups


def _file(data: DataName, sequences: int) -> Path:
    if data == "bouncing_balls":
        return balls_file(BallsConfig(objects=4, training=sequences, validation=1, test=1))
    return shapes_file(ShapesConfig(objects=3, training=sequences, validation=1, test=1))


def _use(batches: Iterator[FrameBatch], device: str) -> None:
    for batch in batches:
        batch.frames.to(device)
