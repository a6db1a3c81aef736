"""Batches from a source: in file order to evaluate, in a seeded order to train.

Departure from the released code: the original shuffles only the order of fixed batches
of consecutive sequences, so the same sequences meet in every epoch. Here blocks of consecutive
sequences are permuted, and sequences are permuted within a window of blocks, so batches change
from epoch to epoch while a file on disk is still read in long runs.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pyro_nem.data.frames import FrameBatch, FrameSource
from pyro_nem.errors import ConfigError

__all__ = ["epoch_batches", "num_batches", "ordered_batches", "read_batch"]

# Consecutive sequences read at once: whole chunks of the files that we write.
_BLOCK: Final = 64


class _Window(NamedTuple):
    """Sequences in memory, time first, in the dtype of the source."""

    features: NDArray[Any]  # [T, n, rows, columns, C]
    groups: NDArray[np.uint8] | None  # [T, n, rows, columns, 1]


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


def read_batch(source: FrameSource, start: int, stop: int, frames: int) -> FrameBatch:
    """Return sequences `start` to `stop` (exclusive), exactly `frames` frames of each.

    Longer sequences are cut to their first frames; a static image is repeated, as a view.

    Raises
    ------
    ConfigError
        The sequences are too short, `frames` is below 1, or the range leaves the source.
    DataError
        The source is damaged there.
    """
    _check_frames(source, frames)
    return _to_batch(_read(source, start, stop, frames), frames)


def ordered_batches(source: FrameSource, *, frames: int, batch_size: int) -> Iterator[FrameBatch]:
    """Return an iterator over all sequences in file order; the last batch may be smaller.

    Parameters
    ----------
    source
        The data.
    frames
        T, the frames of each sequence; one more than the steps of a model that predicts.
    batch_size
        B, the sequences of each batch but the last.

    Raises
    ------
    ConfigError
        The sequences are too short, or a size is below 1.
    """
    _check_frames(source, frames)
    _check_at_least_one("batch_size", batch_size)
    total = source.num_sequences
    return (
        read_batch(source, start, min(start + batch_size, total), frames)
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
        1,024 sequences of 21 frames of 28 x 28 bytes, with their groups, take 34 MB.

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
    order = _epoch_order(source.num_sequences, -(-window // _BLOCK), seed, epoch)
    return _batches(source, order, frames, batch_size, skip * batch_size, stop)


def _epoch_order(
    num_sequences: int, blocks_per_window: int, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Return the sequences of each window, shuffled; each shape `[n]`."""
    generator = np.random.default_rng((seed, epoch))
    blocks = generator.permutation(-(-num_sequences // _BLOCK))
    order = []
    for first in range(0, len(blocks), blocks_per_window):
        starts = blocks[first : first + blocks_per_window] * _BLOCK
        sequences = (starts[:, None] + np.arange(_BLOCK)).ravel()  # [n]
        order.append(generator.permutation(sequences[sequences < num_sequences]))
    return order


def _batches(
    source: FrameSource,
    order: list[NDArray[np.int64]],
    frames: int,
    batch_size: int,
    start: int,
    stop: int,
) -> Iterator[FrameBatch]:
    """Yield batches from places `start` to `stop` of the epoch's order, both whole batches."""
    begin = 0
    rest: _Window | None = None
    for sequences in order:
        first, last = max(start - begin, 0), min(stop - begin, len(sequences))
        begin += len(sequences)
        if first >= last:
            continue
        here = _read_scattered(source, sequences[first:last], frames)
        held = here if rest is None else _join([rest, here])
        count = held.features.shape[1]
        whole = count - count % batch_size
        for position in range(0, whole, batch_size):
            yield _to_batch(_part(held, slice(position, position + batch_size)), frames)
        # A copy, so that the window itself can be freed before the next one is read.
        rest = _part(held, np.arange(whole, count)) if whole < count else None
        del here, held


def _read_scattered(source: FrameSource, sequences: NDArray[np.int64], frames: int) -> _Window:
    """Read sequences in the order given, by whole blocks of the source."""
    blocks, where = np.unique(sequences // _BLOCK, return_inverse=True)
    total = source.num_sequences
    parts = [
        _read(source, first, min(first + _BLOCK, total), frames)
        for first in (int(block) * _BLOCK for block in blocks)
    ]
    # Only the last block of the source can be short, and unique sorts, so it is the last here.
    return _part(_join(parts), where * _BLOCK + sequences % _BLOCK)


def _read(source: FrameSource, start: int, stop: int, frames: int) -> _Window:
    """Read consecutive sequences and cut them to `frames` frames."""
    features, groups = source.read(start, stop)
    return _Window(features[:frames], None if groups is None else groups[:frames])


def _part(window: _Window, sequences: slice | NDArray[np.int64]) -> _Window:
    """Return some sequences of a window: a view for a slice, a copy for indices."""
    groups = None if window.groups is None else window.groups[:, sequences]
    return _Window(window.features[:, sequences], groups)


def _join(parts: list[_Window]) -> _Window:
    """Return several windows as one."""
    groups = [part.groups for part in parts if part.groups is not None]
    return _Window(
        np.concatenate([part.features for part in parts], axis=1),
        np.concatenate(groups, axis=1) if groups else None,
    )


def _to_batch(window: _Window, frames: int) -> FrameBatch:
    """Return a window as tensors of their own; static images become views with `frames` frames."""
    features = torch.from_numpy(np.array(window.features, np.float32, order="C"))
    features = features.expand(frames, -1, -1, -1, -1)  # [T, B, rows, columns, C]
    if window.groups is None:
        return FrameBatch(features, None)
    groups = torch.from_numpy(np.array(window.groups[..., 0], order="C"))
    return FrameBatch(features, groups.expand(frames, -1, -1, -1))  # [T, B, rows, columns]


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
