"""Images in a grid."""

import textwrap
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError

__all__ = ["image_grid"]

_DPI = 150
_SCALE = 2  # dots a pixel, so that every pixel becomes a square of whole dots
_LINE = 30  # dots a line of the title
_LETTER = 11
_INK = "#222222"


def image_grid(images: NDArray[Any], title: str, *, gap: int = 1) -> Figure:
    """Draw images side by side, ink dark on white.

    Parameters
    ----------
    images
        Ink in [0, 1], `[grid rows, grid columns, rows, columns]`; values outside are clipped.
    title
        What is written above them, in as many lines as it takes.
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
    height, drawn = _SCALE * page.shape[0], _SCALE * page.shape[1]
    # A page of few images may be narrower than a word, or than a letter.
    width = max([drawn, _LETTER, *(_LETTER * len(word) for word in title.split())])
    lines = textwrap.wrap(title, width // _LETTER)
    top = 10 + _LINE * len(lines)
    figure = Figure(figsize=(width / _DPI, (height + top) / _DPI), dpi=_DPI, facecolor="white")
    axes = figure.add_axes((0.0, 0.0, drawn / width, height / (height + top)))
    axes.imshow(page, cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    middle = 1.0 - 0.5 * top / (height + top)
    figure.text(0.01, middle, "\n".join(lines), va="center", fontsize=9)
    figure.texts[0].set_color(_INK)
    return figure
