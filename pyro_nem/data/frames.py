"""What the rest of the project knows about data: batches of frames and sources of them."""

from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["FrameBatch", "FrameSource"]


class FrameBatch(NamedTuple):
    """Sequences ready for a model.

    Frames of static images are one image seen T times: all tensors are then expanded views whose
    time axis has stride 0, and must not be written to.
    """

    frames: torch.Tensor
    """Clean intensities in [0, 1], float32; shape `[T, B, rows, columns, C]`."""
    groups: torch.Tensor | None
    """True object of each pixel, 0 where not scored, uint8; shape `[T, B, rows, columns]`.

    None if the source has no labels.
    """
    collisions: torch.Tensor | None = None
    """Where objects met others since the frame before, bool; shape `[T, B, rows, columns]`.

    None if the source does not know, or if they were not asked for.
    """


class FrameSource(Protocol):
    """A split of a data set, of which any run of consecutive sequences can be read.

    Satisfied by `HDF5Frames` and `ArrayFrames`; bring your own by having these five members. A
    source of collisions also has `read_collisions(start, stop)`, which returns a uint8 mask
    `[T, n, rows, columns, 1]`, or None if it has none; only evaluations ask for it. One of 8-bit
    images may have `white`, 255, and return bytes, which take a quarter of the memory. Batches of
    an epoch are read by a thread, unless `prefetch` is off.
    """

    @property
    def name(self) -> str:
        """File and split, or whatever error messages should call the data."""

    @property
    def num_sequences(self) -> int:
        """N, the number of sequences; at least 1."""

    @property
    def num_frames(self) -> int:
        """T, the stored frames of each sequence; 1 marks static images."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Rows, columns and channels."""

    def read(self, start: int, stop: int) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
        """Return sequences `start` to `stop` (exclusive), checked, in the stored layout.

        Returns
        -------
        features
            Intensities in [0, 1], times `white` if the source has it, any real dtype; shape
            `[T, n, rows, columns, C]`.
        groups
            Object ids; shape `[T, n, rows, columns, 1]`. None if there are no labels.
        """
