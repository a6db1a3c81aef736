"""Movements of a pen as drawings."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError

__all__ = ["PenPicture", "pen_figure", "pen_lines"]

_INK = "#222222"
_PREDICTED = "#D55E00"


class PenPicture(NamedTuple):
    """A drawing.

    Attributes
    ----------
    title
        What is written above it.
    moves
        Rows of dx, dy, whether a stroke ends, and whether the drawing does, `[T, 4]`; y grows
        downwards. What stands behind the end is left out.
    seen
        The number of rows that were given; later ones are predicted and have another colour.
    """

    title: str
    moves: NDArray[Any]
    seen: int | None = None


def pen_lines(moves: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Return the strokes of a drawing, each `[points, 3]`: x, y and the row that leads there.

    The first row, and the one after the end of a stroke, move the pen without drawing.
    """
    strokes: list[list[tuple[float, float, int]]] = []
    x = y = 0.0
    lifted = True
    for row, (dx, dy, stroke_ends, drawing_ends) in enumerate(moves.tolist()):
        if stroke_ends or drawing_ends:
            lifted = True
            if drawing_ends:
                break
            continue
        x, y = x + dx, y + dy
        if lifted:
            strokes.append([])
        strokes[-1].append((x, y, row))
        lifted = False
    return [np.array(stroke) for stroke in strokes]


def pen_figure(rows: Sequence[Sequence[PenPicture]], *, side: float = 28.0) -> Figure:
    """Draw pictures in rows.

    Parameters
    ----------
    rows
        Pictures from left to right, in each row the same number of them.
    side
        Width and height of a picture in units of the moves; it grows to hold what leaves it.

    Raises
    ------
    ConfigError
        There is no picture, or rows differ in their number.
    """
    widths = {len(row) for row in rows}
    if len(widths) != 1 or 0 in widths:
        raise ConfigError(
            f"rows: expected one or more rows with as many pictures each, got {sorted(widths)}"
        )
    (columns,) = widths
    figure = Figure(
        figsize=(1.6 * columns, 1.8 * len(rows)), dpi=150, facecolor="white", layout="constrained"
    )
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for pictures, line in zip(rows, axes, strict=True):
        for picture, axis in zip(pictures, line, strict=True):
            seen = len(picture.moves) if picture.seen is None else picture.seen
            reach = [0.0, side]
            for stroke in pen_lines(picture.moves):
                x, y, row = stroke.T
                reach += [stroke[:, :2].min(), stroke[:, :2].max()]
                # A predicted line begins at the last point that was seen.
                after = max(int((row < seen).sum()) - 1, 0)
                axis.plot(x[row < seen], y[row < seen], color=_INK, linewidth=1.4)
                if (row >= seen).any():
                    axis.plot(x[after:], y[after:], color=_PREDICTED, linewidth=1.4)
            axis.set(xlim=(min(reach), max(reach)), ylim=(max(reach), min(reach)))
            axis.set(aspect="equal", xticks=[], yticks=[])
            axis.set_title(picture.title, loc="left", fontsize=7, color=_INK)
    return figure
