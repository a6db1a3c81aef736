"""Binary images of many objects, with the object of each pixel."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Canvas"]


class Canvas:
    """The frames of some sequences while objects are drawn on them.

    Parameters
    ----------
    frames, sequences, rows, columns
        T, B and the size of the image. Pixels are numbered in this order of axes, row by row.
    """

    def __init__(self, frames: int, sequences: int, rows: int, columns: int) -> None:
        self.shape = (frames, sequences, rows, columns, 1)
        self._covered = np.zeros(frames * sequences * rows * columns, np.uint8)
        self._groups = np.zeros_like(self._covered)

    def draw(self, pixels: NDArray[np.int64], identity: int) -> None:
        """Draw the next object, given the numbers of its pixels in all frames, in any shape.

        A number may be repeated; identities are 1 to 255.
        """
        # A repeated index counts once here: numpy reads all entries before it writes any.
        self._covered[pixels] += 1
        self._groups[pixels] = identity

    def images(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return what was drawn; the canvas is not to be used afterwards.

        Returns
        -------
        features
            The union of all objects, in {0, 1}; shape `[T, B, rows, columns, 1]`.
        groups
            Identities, 0 where there are none or several; shape `[T, B, rows, columns, 1]`.
        """
        self._groups *= self._covered <= 1
        features = (self._covered > 0).view(np.uint8)
        return features.reshape(self.shape), self._groups.reshape(self.shape)
