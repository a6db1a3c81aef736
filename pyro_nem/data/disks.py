"""The pixels of a disk."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["disk_pixels"]


def disk_pixels(
    centres: NDArray[np.float64],
    radii: NDArray[np.float64],
    images: NDArray[np.int64],
    sides: tuple[int, int],
) -> NDArray[np.int64]:
    """Return the pixels of one disk in each of M images, numbered as a `Canvas` does, `[N]`.

    Parameters
    ----------
    centres
        Shape `[M, 2]`.
    radii
        Shape `[M]`.
    images
        Number of the image, frame by frame and in each sequence by sequence; shape `[M]`.
    sides
        Rows and columns of an image.
    """
    height = 2 * int(np.ceil(radii.max(initial=0.0))) + 1
    # The rows around the disk. Those that leave the image are not in the disk either.
    rows = np.floor(centres[:, :1] - radii[:, None]).astype(np.int64) + np.arange(height)  # [M, h]
    squared = radii[:, None] ** 2 - (rows + 0.5 - centres[:, :1]) ** 2  # [M, h]
    half = np.sqrt(np.maximum(squared, 0.0))
    first = np.ceil(centres[:, 1:] - half - 0.5).astype(np.int64)  # [M, h]
    last = np.floor(centres[:, 1:] + half - 0.5).astype(np.int64)  # [M, h]
    lengths = np.where(squared < 0.0, 0, last + 1 - first).ravel()  # [M h]
    starts = ((images[:, None] * sides[0] + rows) * sides[1] + first).ravel()  # [M h]
    # Every run of pixels counts on from its start.
    ends = lengths.cumsum()
    pixels: NDArray[np.int64] = np.arange(lengths.sum()) + np.repeat(
        starts - (ends - lengths), lengths
    )
    return pixels
