"""What frames must look like, whichever file or array they come from."""

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError, DataError

__all__ = [
    "check_collisions",
    "check_features",
    "check_groups",
    "check_labels",
    "check_layout",
    "check_range",
]

# Kinds of numpy dtypes that hold numbers: bool, unsigned, integer, float.
_NUMBERS = "buif"


def check_layout(
    where: str, features: NDArray[Any] | h5py.Dataset, groups: NDArray[Any] | h5py.Dataset | None
) -> None:
    """Check shapes and dtypes of `[T, N, rows, columns, C]` and `[T, N, rows, columns, 1]`.

    Parameters
    ----------
    where
        The source, with which every message begins.
    features, groups
        Arrays or HDF5 datasets; only `shape` and `dtype` are read.

    Raises
    ------
    DataError
        A wrong rank, an empty axis, values that are no numbers, or groups that do not belong to
        the features.
    """
    shape = tuple(features.shape)
    if len(shape) != 5:
        raise DataError(
            f"{where}, key 'features': expected 5 axes (T, N, rows, columns, C), got shape {shape}"
        )
    if 0 in shape:
        raise DataError(
            f"{where}, key 'features': expected at least one frame, sequence and pixel, got shape "
            f"{shape}"
        )
    if features.dtype.kind not in _NUMBERS:
        raise DataError(f"{where}, key 'features': expected numbers, got dtype {features.dtype}")
    if groups is not None:
        check_labels(where, "groups", groups, shape)


def check_labels(
    where: str, key: str, labels: NDArray[Any] | h5py.Dataset, shape: tuple[int, ...]
) -> None:
    """Check that labels of pixels have numbers, and the shape for features of that shape.

    Raises
    ------
    DataError
        Another shape than `[T, N, rows, columns, 1]`, or values that are no numbers.
    """
    if tuple(labels.shape) != (*shape[:-1], 1):
        raise DataError(
            f"{where}, key {key!r}: expected shape {(*shape[:-1], 1)} to match features of shape "
            f"{tuple(shape)}, got {tuple(labels.shape)}"
        )
    if labels.dtype.kind not in _NUMBERS:
        raise DataError(f"{where}, key {key!r}: expected numbers, got dtype {labels.dtype}")


def check_features(where: str, features: NDArray[Any], white: int = 1) -> NDArray[Any]:
    """Return features `[T, n, rows, columns, C]` after checking that all lie in [0, `white`].

    Raises
    ------
    DataError
        A value that is NaN, infinite or outside. The message begins with `where`, which names the
        source and the sequences.
    """
    # NaN passes through min and max, so two sweeps find everything that is wrong.
    low, high = features.min(), features.max()
    if np.isnan(low):
        raise DataError(
            f"{where}, key 'features': expected finite values in [0, {white}], got NaN in "
            f"{np.isnan(features).sum():,} of {features.size:,} values; repair the data, or leave "
            "these sequences out"
        )
    if not (low >= 0 and high <= white):
        raise DataError(
            f"{where}, key 'features': expected finite values in [0, {white}], got values from "
            f"{low} to {high}; rescale the images (divide bytes by 255)"
        )
    return features


def check_groups(where: str, groups: NDArray[Any]) -> NDArray[np.uint8]:
    """Return groups `[T, n, rows, columns, 1]` as uint8 after checking that they are ids.

    The published files store ids as floats.

    Raises
    ------
    DataError
        A value that is not a whole number from 0 to 255.
    """
    if groups.dtype == np.uint8:
        return groups
    return _as_whole(where, "groups", groups, 255, "whole numbers from 0 (not scored) to 255")


def check_collisions(where: str, collisions: NDArray[Any]) -> NDArray[np.uint8]:
    """Return collisions `[T, n, rows, columns, 1]` as uint8 after checking that they are a mask.

    Raises
    ------
    DataError
        A value that is neither 0 nor 1.
    """
    return _as_whole(where, "collisions", collisions, 1, "a mask of 0 and 1")


def _as_whole(
    where: str, key: str, labels: NDArray[Any], most: int, expected: str
) -> NDArray[np.uint8]:
    """Return labels as uint8 after checking that all are whole numbers from 0 to `most`."""
    low, high = labels.min(), labels.max()
    whole = labels.dtype.kind != "f" or np.array_equal(labels, np.trunc(labels))
    if not (low >= 0 and high <= most and whole):
        raise DataError(
            f"{where}, key {key!r}: expected {expected}, got {labels.dtype} values from {low} to "
            f"{high}"
        )
    return labels.astype(np.uint8, copy=False)


def check_range(where: str, start: int, stop: int, num_sequences: int) -> None:
    """Check that sequences `start` to `stop` (exclusive) exist; slicing would cut them silently.

    Raises
    ------
    ConfigError
        An empty range, or one that leaves the source.
    """
    if not 0 <= start < stop <= num_sequences:
        raise ConfigError(
            f"{where}: sequences start={start} to stop={stop} asked, expected "
            f"0 <= start < stop <= {num_sequences}"
        )
