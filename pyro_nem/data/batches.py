"""Batches from a source: in file order to evaluate, in a seeded order to train.

Departure from the released code: the original shuffles only the order of fixed batches
of consecutive sequences, so the same sequences meet in every epoch. Here blocks of consecutive
sequences are permuted, and sequences are permuted within a window of blocks, so batches change
from epoch to epoch while a file on disk is still read in long runs.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data.frames import FrameBatch, FrameSource
from pyro_nem.data.windows import BLOCK, Window, WindowReader, join, part, to_batch
from pyro_nem.errors import ConfigError

__all__ = ["epoch_batches", "first_sequences", "num_batches", "ordered_batches", "read_batch"]


def num_batches(source: FrameSource, batch_size: int) -> int:
    """Return the number of full batches in an epoch of training; the rest is dropped.

    Raises
    ------
    ConfigError
        The batch size is below 1, or the source has fewer sequences than one batch.
    """
    _check_at_least_one("batch_size", batch_size)
    if source.num_sequences < batch_size:
        raise ConfigError(
            f"batch_size: {source.name} has {source.num_sequences} sequences, fewer than one batch "
            f"of {batch_size}; choose a smaller batch or a larger file"
        )
    return source.num_sequences // batch_size


def read_batch(
    source: FrameSource, start: int, stop: int, frames: int, *, collisions: bool = False
) -> FrameBatch:
    """Return sequences `start` to `stop` (exclusive), exactly `frames` frames of each.

    Longer sequences are cut to their first frames; a static image is repeated, as a view. With
    `collisions`, they are read too if the source has them.

    Raises
    ------
    ConfigError
        The sequences are too short, `frames` is below 1, or the range leaves the source.
    DataError
        The source is damaged there.
    """
    _check_frames(source, frames)
    return to_batch(WindowReader(source, frames, collisions).read(start, stop), frames)


def first_sequences(batch: FrameBatch, count: int) -> FrameBatch:
    """Return the first sequences of a batch, all of them if it has no more."""
    groups, collisions = (
        None if part is None else part[:, :count] for part in (batch.groups, batch.collisions)
    )
    return FrameBatch(batch.frames[:, :count], groups, collisions)


def ordered_batches(
    source: FrameSource, *, frames: int, batch_size: int, collisions: bool = False
) -> Iterator[FrameBatch]:
    """Return an iterator over all sequences in file order; the last batch may be smaller.

    Parameters
    ----------
    source
        The data.
    frames
        T, the frames of each sequence; one more than the steps of a model that predicts.
    batch_size
        B, the sequences of each batch but the last.
    collisions
        Read collisions too, if the source has them.

    Raises
    ------
    ConfigError
        The sequences are too short, or a size is below 1.
    """
    _check_frames(source, frames)
    _check_at_least_one("batch_size", batch_size)
    total = source.num_sequences
    return (
        read_batch(source, start, min(start + batch_size, total), frames, collisions=collisions)
        for start in range(0, total, batch_size)
    )


def epoch_batches(
    source: FrameSource,
    *,
    frames: int,
    batch_size: int,
    seed: int,
    epoch: int,
    skip: int = 0,
    window: int = 1024,
    collisions: bool = False,
) -> Iterator[FrameBatch]:
    """Return an iterator over the batches of one epoch, in an order fixed by (seed, epoch).

    Every sequence appears at most once; a last incomplete batch is dropped, and as the order
    changes, it holds other sequences in each epoch. Nothing is remembered between epochs:
    a resumed run passes the batches it has done as `skip` and sees the rest bit for bit.

    Parameters
    ----------
    source
        The data.
    frames
        T, the frames of each sequence; one more than the steps of a model that predicts.
    batch_size
        B, the sequences of each batch.
    seed, epoch
        Non-negative integers that fix the order.
    skip
        Batches to leave out at the beginning; windows that they cover are not read.
    window
        Sequences held in memory and mixed, rounded up to blocks of 64. The order depends on it.
        1,024 sequences of 21 frames of 28 x 28 bytes, with their groups, take 34 MB; of 51 frames
        of 64 x 64, 430 MB.
    collisions
        Read collisions too, if the source has them: half as much memory again.

    Raises
    ------
    ConfigError
        The sequences are too short or too few, a size is below 1, or `skip` is negative.
    """
    _check_frames(source, frames)
    _check_at_least_one("window", window)
    batches = num_batches(source, batch_size)
    if min(skip, seed, epoch) < 0:
        raise ConfigError(
            f"skip, seed and epoch: expected none to be negative, got {skip}, {seed} and {epoch}"
        )
    stop = batches * batch_size
    order = _epoch_order(source.num_sequences, -(-window // BLOCK), seed, epoch)
    reader = WindowReader(source, frames, collisions)
    return _batches(reader, order, batch_size, skip * batch_size, stop)


def _epoch_order(
    num_sequences: int, blocks_per_window: int, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Return the sequences of each window, shuffled; each shape `[n]`."""
    generator = np.random.default_rng((seed, epoch))
    blocks = generator.permutation(-(-num_sequences // BLOCK))
    order = []
    for first in range(0, len(blocks), blocks_per_window):
        starts = blocks[first : first + blocks_per_window] * BLOCK
        sequences = (starts[:, None] + np.arange(BLOCK)).ravel()  # [n]
        order.append(generator.permutation(sequences[sequences < num_sequences]))
    return order


def _batches(
    reader: WindowReader,
    order: list[NDArray[np.int64]],
    batch_size: int,
    start: int,
    stop: int,
) -> Iterator[FrameBatch]:
    """Yield batches from places `start` to `stop` of the epoch's order, both whole batches."""
    begin = 0
    rest: Window | None = None
    for sequences in order:
        first, last = max(start - begin, 0), min(stop - begin, len(sequences))
        begin += len(sequences)
        if first >= last:
            continue
        here = reader.read_scattered(sequences[first:last])
        held = here if rest is None else join([rest, here])
        count = held.features.shape[1]
        whole = count - count % batch_size
        for position in range(0, whole, batch_size):
            yield to_batch(part(held, slice(position, position + batch_size)), reader.frames)
        # A copy, so that the window itself can be freed before the next one is read.
        rest = part(held, np.arange(whole, count)) if whole < count else None
        del here, held


def _check_frames(source: FrameSource, frames: int) -> None:
    """Check that a source has `frames` frames, or one image to repeat."""
    _check_at_least_one("frames", frames)
    if 1 < source.num_frames < frames:
        raise ConfigError(
            f"frames: {source.name} has {source.num_frames} frames a sequence, {frames} were asked "
            f"({frames - 1} steps need the frame after each); choose fewer steps or a longer file"
        )


def _check_at_least_one(name: str, value: int) -> None:
    """Check a size."""
    if value < 1:
        raise ConfigError(f"{name}: expected at least 1, got {value}")
