"""The digits of MNIST, split and reduced in size."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data.mnist import MNIST_SIDE, mnist_images

__all__ = ["TRAINING_DIGITS", "DigitBitmaps", "digit_bitmaps"]

TRAINING_DIGITS: Final = 50_000
"""Digits to train on at most; the rest of MNIST's training file is for validation."""


class DigitBitmaps(NamedTuple):
    """The digits that sequences are drawn from, cropped to their bounding boxes."""

    levels: NDArray[np.uint8]
    """Grey levels, in the top left corner of a square; shape `[P, side, side]`."""
    sizes: NDArray[np.int64]
    """Rows and columns of the bounding box; shape `[P, 2]`."""


def digit_bitmaps(
    split: str,
    *,
    variations: int | None = None,
    reduction: int = 2,
    report: Callable[[str], None] = print,
) -> DigitBitmaps:
    """Return the digits of a split, reduced in size; no digit is in two splits.

    Parameters
    ----------
    split
        `training` has the first digits of MNIST's training file, `validation` its last 10,000,
        `test` those of the test file.
    variations
        How many digits there are to train on, up to 50,000; None for all of them.
    reduction
        A pixel is the mean of a square of so many pixels a side, a divisor of 28.
    report
        Called with a line of text if MNIST is downloaded.

    Raises
    ------
    DataError
        MNIST cannot be found, or what was found is damaged.
    StorageError
        MNIST was downloaded, and the cache cannot be written.
    """
    if split == "test":
        images = mnist_images("t10k", report)
    elif split == "validation":
        images = mnist_images("train", report)[TRAINING_DIGITS:]
    else:
        images = mnist_images("train", report)[:TRAINING_DIGITS][:variations]
    side = MNIST_SIDE // reduction
    squares = images.reshape(-1, side, reduction, side, reduction)
    return _cropped(np.rint(squares.mean((2, 4))).astype(np.uint8))  # [P, side, side]


def _cropped(images: NDArray[np.uint8]) -> DigitBitmaps:
    """Return images `[P, side, side]` moved to the top left corner, with their sizes."""
    levels, sizes = np.zeros_like(images), np.zeros((len(images), 2), np.int64)
    for index, image in enumerate(images):
        rows, columns = np.nonzero(image)
        box = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        levels[index, : box.shape[0], : box.shape[1]] = box
        sizes[index] = box.shape
    return DigitBitmaps(levels, sizes)
