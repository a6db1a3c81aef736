"""Batches from a source: in file order to evaluate, in a seeded order to train."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pyro_nem.checks import at_least
from pyro_nem.data.frames import FrameBatch, FrameSource
from pyro_nem.data.order import WINDOW, window_order
from pyro_nem.data.read_ahead import read_ahead
from pyro_nem.data.share import WHOLE, Share
from pyro_nem.data.windows import Window, WindowReader, join, part, to_batch
from pyro_nem.errors import ConfigError

__all__ = ["check_frames", "epoch_batches", "num_batches", "ordered_batches", "read_batch"]


def num_batches(source: FrameSource, batch_size: int) -> int:
    """Return the number of full batches in an epoch of training; the rest is dropped.

    Raises
    ------
    ConfigError
        The batch size is below 1, or the source has fewer sequences than one batch.
    """
    at_least(1, batch_size=batch_size)
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
    check_frames(source, frames)
    return to_batch(WindowReader(source, frames, collisions).read(start, stop), frames)


def ordered_batches(
    source: FrameSource,
    *,
    frames: int,
    batch_size: int,
    sequences: int | None = None,
    collisions: bool = False,
    share: Share = WHOLE,
) -> Iterator[FrameBatch]:
    """Return an iterator over the sequences in file order; the last batch may be smaller.

    Parameters
    ----------
    source
        The data.
    frames
        T, the frames of each sequence; one more than the steps of a model that predicts.
    batch_size
        B, the sequences of each batch but the last.
    sequences
        Read only so many, the first ones; None for all.
    collisions
        Read collisions too, if the source has them.
    share
        The batches are dealt out in turns, and only those of this share are read.

    Raises
    ------
    ConfigError
        The sequences are too short, or a size is below 1.
    """
    check_frames(source, frames)
    at_least(1, batch_size=batch_size, sequences=sequences)
    total = source.num_sequences
    if sequences is not None:
        total = min(total, sequences)
    return (
        read_batch(source, start, min(start + batch_size, total), frames, collisions=collisions)
        for start in range(share.index * batch_size, total, share.count * batch_size)
    )


def epoch_batches(
    source: FrameSource,
    *,
    frames: int,
    batch_size: int,
    seed: int,
    epoch: int,
    skip: int = 0,
    window: int = WINDOW,
    collisions: bool = False,
    prefetch: bool = True,
    share: Share = WHOLE,
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
    prefetch
        Let a thread read the next window while the present one is used: twice the memory. The
        batches are the same. The thread ends with the iterator, also when that is left early.
    share
        The part of each batch that is returned; all shares together have the batch. Only its
        sequences are held in memory, though whole blocks are read.

    Raises
    ------
    ConfigError
        The sequences are too short or too few, a size is below 1, `skip` is negative, or the
        batch cannot be shared equally.
    """
    check_frames(source, frames)
    batches = num_batches(source, batch_size)
    part_size = share.size(batch_size)
    if skip < 0:
        raise ConfigError(f"skip: expected 0 or more batches, got {skip}")
    order = window_order(source.num_sequences, window=window, seed=seed, epoch=epoch)
    reads = _between(
        _part_of_order(order, batch_size, share), skip * part_size, batches * part_size
    )
    return _batches(WindowReader(source, frames, collisions), reads, part_size, prefetch)


def _between(order: list[NDArray[np.int64]], start: int, stop: int) -> list[NDArray[np.int64]]:
    """Return what of each window lies in places `start` to `stop` (exclusive) of the order."""
    parts, begin = [], 0
    for sequences in order:
        parts.append(sequences[max(start - begin, 0) : max(stop - begin, 0)])
        begin += len(sequences)
    return [sequences for sequences in parts if len(sequences)]


def _part_of_order(
    order: list[NDArray[np.int64]], batch_size: int, share: Share
) -> list[NDArray[np.int64]]:
    """Return the sequences of each window that are in one share of their batches."""
    size = share.size(batch_size)
    parts, begin = [], 0
    for sequences in order:
        places = np.arange(begin, begin + len(sequences)) % batch_size
        parts.append(sequences[places // size == share.index])
        begin += len(sequences)
    return parts


def _batches(
    reader: WindowReader, reads: list[NDArray[np.int64]], batch_size: int, prefetch: bool
) -> Iterator[FrameBatch]:
    """Yield batches of sequences read window by window; in all, they are whole batches."""
    rest: Window | None = None
    read = reader.read_scattered
    for here in read_ahead(read, reads) if prefetch else map(read, reads):
        held = here if rest is None else join([rest, here])
        count = held.features.shape[1]
        whole = count - count % batch_size
        for position in range(0, whole, batch_size):
            yield to_batch(part(held, slice(position, position + batch_size)), reader.frames)
        # A copy, so that the window itself can be freed before the next one is read.
        rest = part(held, np.arange(whole, count)) if whole < count else None
        del here, held


def check_frames(source: FrameSource, frames: int) -> None:
    """Check that a source has `frames` frames, or one image to repeat.

    Raises
    ------
    ConfigError
        It has fewer, or `frames` is below 1.
    """
    at_least(1, frames=frames)
    if 1 < source.num_frames < frames:
        raise ConfigError(
            f"frames: {source.name} has {source.num_frames} frames a sequence, {frames} were asked "
            f"({frames - 1} steps need the frame after each); choose fewer steps or a longer file"
        )
