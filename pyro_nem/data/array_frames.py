"""Frames that are already in memory."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pyro_nem.data.checks import (
    check_collisions,
    check_features,
    check_groups,
    check_labels,
    check_layout,
    check_range,
)
from pyro_nem.data.frames import FrameSource
from pyro_nem.errors import ConfigError

__all__ = ["ArrayFrames", "as_source"]


class ArrayFrames:
    """A `FrameSource` over arrays or tensors, for instance your own videos.

    The arrays are not copied where their dtype allows; do not change them while they are in use.

    Parameters
    ----------
    features
        Intensities in [0, 1], any real dtype; shape `[T, N, rows, columns, C]`, T = 1 for static
        images.
    groups
        Object of each pixel, 0 where not scored, 1..n otherwise; shape `[T, N, rows, columns]`,
        or the same with a trailing axis of 1. Only scores need it.
    name
        What error messages call the data.
    collisions
        1 on the pixels of objects that met another one since the frame before, 0 elsewhere; shape
        as that of `groups`. Only scores of collisions need it.

    Raises
    ------
    DataError
        Wrong shapes, intensities outside [0, 1], groups that are not whole numbers, or collisions
        that are neither 0 nor 1.

    Examples
    --------
    >>> import numpy as np
    >>> source = ArrayFrames(np.zeros((21, 100, 28, 28, 1)), name="black")
    >>> source.num_sequences, source.num_frames, source.image_shape
    (100, 21, (28, 28, 1))
    """

    def __init__(
        self,
        features: NDArray[Any] | torch.Tensor,
        groups: NDArray[Any] | torch.Tensor | None = None,
        *,
        name: str = "array",
        collisions: NDArray[Any] | torch.Tensor | None = None,
    ) -> None:
        values, labels, mask = _as_numpy(features), _labels(groups), _labels(collisions)
        check_layout(name, values, labels)
        if mask is not None:
            check_labels(name, "collisions", mask, values.shape)
        self._name = name
        self._features = check_features(name, values)
        self._groups = None if labels is None else check_groups(name, labels)
        self._collisions = None if mask is None else check_collisions(name, mask)

    @property
    def name(self) -> str:
        """What error messages call the data."""
        return self._name

    @property
    def num_sequences(self) -> int:
        """N, the number of sequences."""
        return int(self._features.shape[1])

    @property
    def num_frames(self) -> int:
        """T, the frames of each sequence; 1 marks static images."""
        return len(self._features)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Rows, columns and channels."""
        _, _, rows, columns, channels = self._features.shape
        return rows, columns, channels

    def read(self, start: int, stop: int) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
        """Return views of sequences `start` to `stop` (exclusive).

        Shapes `[T, n, rows, columns, C]` and `[T, n, rows, columns, 1]`.

        Raises
        ------
        ConfigError
            The range is empty or leaves the data.
        """
        check_range(self._name, start, stop, self.num_sequences)
        groups = None if self._groups is None else self._groups[:, start:stop]
        return self._features[:, start:stop], groups

    def read_collisions(self, start: int, stop: int) -> NDArray[np.uint8] | None:
        """Return a view of where objects of sequences `start` to `stop` (exclusive) met others.

        Shape `[T, n, rows, columns, 1]`; None if that is not known.

        Raises
        ------
        ConfigError
            The range is empty or leaves the data.
        """
        check_range(self._name, start, stop, self.num_sequences)
        return None if self._collisions is None else self._collisions[:, start:stop]


def as_source(data: FrameSource | NDArray[Any] | torch.Tensor, name: str) -> FrameSource:
    """Return a source as it is, and an array or tensor as a source of that name.

    Raises
    ------
    ConfigError
        If it is neither.
    DataError
        If it is an array that :class:`ArrayFrames` refuses.
    """
    if isinstance(data, (np.ndarray, torch.Tensor)):
        return ArrayFrames(data, name=name)
    if isinstance(data, (str, Path)):
        raise ConfigError(
            f"{name}: expected frames, got the path {str(data)!r}; open it with "
            f"HDF5Frames({str(data)!r}, 'training')"
        )
    if not hasattr(data, "read"):
        raise ConfigError(
            f"{name}: expected a FrameSource, NumPy array or tensor [T, N, rows, columns, C], got "
            f"{type(data).__name__}; of a list of videos make one by numpy.stack(videos, axis=1)"
        )
    return data


def _labels(array: NDArray[Any] | torch.Tensor | None) -> NDArray[Any] | None:
    """Return labels of pixels with their trailing axis of 1, which may be left out."""
    if array is None:
        return None
    labels = _as_numpy(array)
    return labels[..., None] if labels.ndim == 4 else labels  # [T, N, rows, columns, 1]


def _as_numpy(array: NDArray[Any] | torch.Tensor) -> NDArray[Any]:
    """Return an array, without a copy where the tensor lives on the CPU."""
    return array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else np.asarray(array)
