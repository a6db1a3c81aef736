"""The outlines of sprites, each inside the square from -1 to 1."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["SILHOUETTES", "Silhouette"]

Silhouette = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]]
"""Says which points are inside, given how far down and how far right of the centre they are.

Coordinates are in units of the sprite's radius and of any shapes that broadcast together.
"""


def _square(down: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(np.maximum(np.abs(down), np.abs(right)) <= 0.85)


def _disk(down: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(down**2 + right**2 <= 1.0)


def _triangle(down: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray((down <= 0.8) & (np.abs(right) <= (down + 1.0) / 1.8))


def _diamond(down: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(down) + np.abs(right) <= 1.0)


def _cross(down: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
    far, near = np.maximum(np.abs(down), np.abs(right)), np.minimum(np.abs(down), np.abs(right))
    return np.asarray((far <= 1.0) & (near <= 0.35))


SILHOUETTES: Final[Mapping[str, Silhouette]] = {
    "square": _square,
    "disk": _disk,
    "triangle": _triangle,
    "diamond": _diamond,
    "cross": _cross,
}
"""By name; a sprite's kind is an index into them."""
