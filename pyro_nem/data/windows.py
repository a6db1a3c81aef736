"""Sequences in memory between a source and the batches."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pyro_nem.data.frames import FrameBatch, FrameSource

__all__ = ["BLOCK", "Window", "WindowReader", "join", "part", "to_batch"]

BLOCK: Final = 64
"""Consecutive sequences read at once: whole chunks of the files that we write."""


class Window(NamedTuple):
    """Sequences in memory, time first, in the dtype of the source."""

    features: NDArray[Any]
    """Shape `[T, n, rows, columns, C]`."""
    groups: NDArray[np.uint8] | None
    """Shape `[T, n, rows, columns, 1]`."""
    collisions: NDArray[np.uint8] | None
    """Shape `[T, n, rows, columns, 1]`."""
    white: int
    """The feature of full intensity."""


@dataclass(frozen=True)
class WindowReader:
    """Reads from a source what the batches need of it."""

    source: FrameSource
    """The data."""
    frames: int
    """T, the frames of each sequence; longer ones are cut to their first frames."""
    collisions: bool
    """Read collisions too, where the source has them."""

    def read(self, start: int, stop: int) -> Window:
        """Read sequences `start` to `stop` (exclusive)."""
        features, groups = self.source.read(start, stop)
        # Not part of the protocol, so that sources without collisions need not know of them.
        read_collisions = getattr(self.source, "read_collisions", None)
        mask = read_collisions(start, stop) if self.collisions and read_collisions else None
        window = Window(features, groups, mask, getattr(self.source, "white", 1))
        return _each(window, lambda array: array[: self.frames])

    def read_scattered(self, sequences: NDArray[np.int64]) -> Window:
        """Read sequences in the order given, by whole blocks of the source."""
        blocks, where = np.unique(sequences // BLOCK, return_inverse=True)
        window: Window | None = None
        for index, first in enumerate(int(block) * BLOCK for block in blocks):
            here = self.read(first, min(first + BLOCK, self.source.num_sequences))
            window = window or _each(here, lambda array: _empty(array, len(sequences)))
            places = np.flatnonzero(where == index)
            # Block by block: many blocks and a window of them would take twice the memory.
            for into, array in zip(window[:3], here[:3], strict=True):
                if into is not None and array is not None:
                    into[:, places] = array[:, sequences[places] - first]
        assert window is not None, "no sequences"
        return window


def part(window: Window, sequences: slice | NDArray[np.int64]) -> Window:
    """Return some sequences of a window: a view for a slice, a copy for indices."""
    return _each(window, lambda array: array[:, sequences])


def join(parts: list[Window]) -> Window:
    """Return several windows of one source as one."""
    groups = [window.groups for window in parts if window.groups is not None]
    collisions = [window.collisions for window in parts if window.collisions is not None]
    return Window(
        np.concatenate([window.features for window in parts], axis=1),
        np.concatenate(groups, axis=1) if groups else None,
        np.concatenate(collisions, axis=1) if collisions else None,
        parts[0].white,
    )


def to_batch(window: Window, frames: int) -> FrameBatch:
    """Return a window as tensors of their own; static images become views with `frames` frames."""
    intensities = np.array(window.features, np.float32, order="C")
    if window.white != 1:
        intensities /= np.float32(window.white)
    features = torch.from_numpy(intensities)
    groups, collisions = _labels(window.groups, frames), _labels(window.collisions, frames)
    return FrameBatch(
        features.expand(frames, -1, -1, -1, -1),  # [T, B, rows, columns, C]
        groups,
        None if collisions is None else collisions.view(torch.bool),
    )


def _labels(array: NDArray[np.uint8] | None, frames: int) -> torch.Tensor | None:
    """Return labels `[T or 1, B, rows, columns, 1]` as a tensor `[T, B, rows, columns]`."""
    if array is None:
        return None
    labels = torch.from_numpy(np.array(array[..., 0], order="C"))
    return labels.expand(frames, -1, -1, -1)  # [T, B, rows, columns]


def _each(window: Window, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Window:
    """Return a window of changed arrays."""
    features, groups, collisions, white = window
    return Window(
        change(features),
        None if groups is None else change(groups),
        None if collisions is None else change(collisions),
        white,
    )


def _empty(array: NDArray[Any], num_sequences: int) -> NDArray[Any]:
    """Return an array like another, of so many sequences and not filled."""
    return np.empty((len(array), num_sequences, *array.shape[2:]), array.dtype)
