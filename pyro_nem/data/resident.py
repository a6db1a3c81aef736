"""A whole split in the memory of a device, from which batches are gathered there."""

import math
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from pyro_nem.data.batches import check_frames
from pyro_nem.data.frames import FrameBatch, FrameSource
from pyro_nem.data.grey_levels import GREY, grey_levels
from pyro_nem.data.read_ahead import read_ahead
from pyro_nem.data.windows import BLOCK, Window, WindowReader
from pyro_nem.errors import MemoryLimitError

__all__ = ["MEMORY_LIMIT", "ResidentFrames"]

MEMORY_LIMIT: Final = 16 * 2**30
"""Bytes that resident frames may take unless told otherwise: the largest data of the papers,
50,000 videos of 31 frames of 64 x 64 with their groups, take 12.7 GB."""

_READ: Final = 2 * BLOCK


class ResidentFrames:
    """Frames of a source, all held on one device, and gathered there by their indices.

    Intensities that are all k / 255 for whole numbers k, as binary and 8-bit images have, are held
    as bytes; others as float32. Either way batches equal those of `epoch_batches` bit for bit. In
    the order of training::

        order = epoch_order(frames.num_sequences, batch_size=64, seed=0, epoch=0).to(device)
        for sequences in order:
            batch = frames.batch(sequences)

    Parameters
    ----------
    source
        The data; read once, in file order, and not kept.
    frames
        T, the frames of each sequence, one more than the steps of a model that predicts. Longer
        sequences are cut; a static image is held once and repeated as a view.
    device
        Where the frames live: cpu, cuda or cuda:N.
    groups
        Hold the groups too, if the source has them: a byte for each pixel.
    memory_limit
        Most bytes to hold. There is no fallback: whoever has less memory catches the error, or
        reads from the file by `epoch_batches`.
    report
        Called after each reading of 128 sequences with the sequences that are done and all.

    Raises
    ------
    MemoryLimitError
        The frames need more than `memory_limit`.
    ConfigError
        The sequences are too short, or `frames` is below 1.
    DataError
        The source is damaged.
    """

    def __init__(
        self,
        source: FrameSource,
        *,
        frames: int,
        device: torch.device | str,
        groups: bool = True,
        memory_limit: int = MEMORY_LIMIT,
        report: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        check_frames(source, frames)
        self._name = source.name
        self._frames = frames
        self._memory_limit = memory_limit
        # A tensor of the device, because CUDA divides by a number inexactly, by its reciprocal.
        self._grey = torch.tensor(GREY, device=device)
        shape = (min(source.num_frames, frames), source.num_sequences, *source.image_shape)
        self._groups: torch.Tensor | None = None
        self._features = self._empty(shape, torch.uint8, beside=0)
        for start, window in _windows(source, frames):
            stop = start + window.features.shape[1]
            self._store(window, start, stop)
            if groups and window.groups is not None:
                if self._groups is None:
                    self._groups = self._empty(shape[:-1], torch.uint8, self._features.nbytes)
                # A copy: tensors refuse arrays that are read-only or run backwards.
                self._groups[:, start:stop] = torch.from_numpy(np.array(window.groups[..., 0]))
            report(stop, source.num_sequences)

    @property
    def name(self) -> str:
        """What the source is called."""
        return self._name

    @property
    def num_sequences(self) -> int:
        """N, the number of sequences."""
        return self._features.shape[1]

    @property
    def device(self) -> torch.device:
        """Where the frames live, and the indices have to."""
        return self._features.device

    @property
    def num_bytes(self) -> int:
        """Bytes that frames and groups take on the device."""
        return self._features.nbytes + (0 if self._groups is None else self._groups.nbytes)

    def gather(self, sequences: torch.Tensor) -> torch.Tensor:
        """Return the frames of some sequences, without waiting for the device.

        Parameters
        ----------
        sequences
            Indices from 0 to N - 1, int64, on the device of the frames; shape `[B]`. Others are
            left to PyTorch, whose kernels stop at them: a check here would wait for the device.

        Returns
        -------
        Tensor
            Intensities in [0, 1], float32; shape `[T, B, rows, columns, C]`.
        """
        chosen = self._features.index_select(1, sequences)  # [T or 1, B, rows, columns, C]
        if chosen.dtype == torch.uint8:
            chosen = chosen.float().div_(self._grey)
        return chosen.expand(self._frames, -1, -1, -1, -1)

    def gather_groups(self, sequences: torch.Tensor) -> torch.Tensor | None:
        """Return the groups of some sequences, without waiting for the device.

        Parameters
        ----------
        sequences
            As of `gather`.

        Returns
        -------
        Tensor or None
            Object of each pixel, uint8; shape `[T, B, rows, columns]`. None if the source has no
            labels, or they are not held.
        """
        if self._groups is None:
            return None
        return self._groups.index_select(1, sequences).expand(self._frames, -1, -1, -1)

    def batch(self, sequences: torch.Tensor) -> FrameBatch:
        """Return the frames of some sequences and, if they are held, their groups."""
        return FrameBatch(self.gather(sequences), self.gather_groups(sequences))

    def _store(self, window: Window, start: int, stop: int) -> None:
        """Store sequences, as bytes as long as that is exact."""
        levels = _bytes(window) if self._features.dtype == torch.uint8 else None
        if levels is not None:
            self._features[:, start:stop] = torch.from_numpy(levels)
            return
        if self._features.dtype == torch.uint8:
            self._change_to_float(start)
        values = window.features.astype(np.float32) / np.float32(window.white)
        self._features[:, start:stop] = torch.from_numpy(values)

    def _change_to_float(self, count: int) -> None:
        """Hold float32 from now on, and keep the first `count` sequences."""
        held = self._features
        beside = 0 if self._groups is None else self._groups.nbytes
        self._features = self._empty(held.shape, torch.float32, beside)
        self._features[:, :count].copy_(held[:, :count]).div_(self._grey)

    def _empty(self, shape: tuple[int, ...], dtype: torch.dtype, beside: int) -> torch.Tensor:
        """Return memory that is not filled, if with `beside` bytes it keeps to the limit."""
        needed = math.prod(shape) * dtype.itemsize + beside
        if needed > self._memory_limit:
            raise MemoryLimitError(
                f"memory_limit: {self._name} takes at least {needed:,} bytes to hold "
                f"{self._frames} frames of each sequence, more than the limit of "
                f"{self._memory_limit:,}; raise the limit, hold no groups, or read batches from "
                "the file by epoch_batches"
            )
        return torch.empty(shape, dtype=dtype, device=self._grey.device)


def _windows(source: FrameSource, frames: int) -> Iterator[tuple[int, Window]]:
    """Yield all sequences in file order, each window with the number of sequences before it."""
    reader = WindowReader(source, frames, collisions=False)
    total = source.num_sequences
    starts = range(0, total, _READ)
    windows = read_ahead(lambda start: reader.read(start, min(start + _READ, total)), starts)
    return zip(starts, windows, strict=True)


def _bytes(window: Window) -> NDArray[np.uint8] | None:
    """Return features `[T, n, rows, columns, C]` as bytes, or None if that is not exact."""
    features, white = window.features, window.white
    if features.dtype.kind != "f" and GREY % white == 0:
        return features.astype(np.uint8) * np.uint8(GREY // white)  # whole numbers in [0, white]
    return grey_levels(features.astype(np.float32) / np.float32(white))
