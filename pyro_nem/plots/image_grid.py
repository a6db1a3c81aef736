"""Images in a grid."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError

__all__ = ["image_grid"]

_DPI = 150
_SCALE = 2  # dots a pixel, so that every pixel becomes a square of whole dots
_TITLE = 40
_INK = "#222222"


def image_grid(images: NDArray[Any], title: str, *, gap: int = 1) -> Figure:
    """Draw images side by side, ink dark on white.

    Parameters
    ----------
    images
        Ink in [0, 1], `[grid rows, grid columns, rows, columns]`; values outside are clipped.
    title
        What is written above them.
    gap
        Pixels between images.

    Raises
    ------
    ConfigError
        There is no image, or the array has other axes.
    """
    if images.ndim != 4 or not images.size:
        raise ConfigError(
            "images: expected [grid rows, grid columns, rows, columns] with at least one image, "
            f"got {list(images.shape)}"
        )
    down, across, rows, columns = images.shape
    page = np.zeros((down, rows + gap, across, columns + gap))
    page[:, :rows, :, :columns] = images.transpose(0, 2, 1, 3).clip(0.0, 1.0)
    page = page.reshape(down * (rows + gap), across * (columns + gap))
    height, width = _SCALE * page.shape[0], _SCALE * page.shape[1]
    size = (width / _DPI, (height + _TITLE) / _DPI)
    figure = Figure(figsize=size, dpi=_DPI, facecolor="white")
    axes = figure.add_axes((0.0, 0.0, 1.0, height / (height + _TITLE)))
    axes.imshow(page, cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    figure.text(0.01, 1.0 - 0.5 * _TITLE / (height + _TITLE), title, va="center", fontsize=9)
    figure.texts[0].set_color(_INK)
    return figure
