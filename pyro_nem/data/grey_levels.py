"""Intensities as bytes, where they lose nothing by it."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["GREY", "grey_levels"]

GREY: Final = np.float32(255)


def grey_levels(values: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Return the bytes k of intensities k / 255 in [0, 1], or None if one is something else."""
    single = values.astype(np.float32, copy=False)
    levels = np.rint(single * GREY).astype(np.uint8)
    return levels if np.array_equal(levels / GREY, single) else None
