"""The overview figure of N-EM: everything about one sequence on one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError
from pyro_nem.plots.colours import check_colours, mix_colours
from pyro_nem.plots.groups import colour_groups
from pyro_nem.plots.segmentation import SegmentationSample
from pyro_nem.plots.style import FAINT, INK

__all__ = ["overview_figure"]

# The page is laid out in whole dots at this resolution, so that each pixel of a frame becomes a
# square of whole dots: a fraction would draw some pixels wider than others.
_DPI = 150
_CELL = 96  # the wished size of a frame, in dots
_BORDER = 4
_GAP = 12  # between frames; holds two borders
_BLOCK_GAP = 14  # added between rows that tell different things
_LABELS = 230
_LABEL_HEIGHT = 56  # two lines of text, for frames that are flatter
_HEADER = 34
_TITLE = 48
_LETTER = 18  # room for one letter of the title
_MARGIN = 20


@dataclass(frozen=True)
class _Row:
    """A row of the page: what it says at the left and one image (or none) per column."""

    words: str
    symbol: str
    images: list[NDArray[Any] | None]
    border: NDArray[Any] | None = None
    starts_block: bool = False


def overview_figure(
    sample: SegmentationSample,
    steps: Sequence[int] | None = None,
    *,
    colours: NDArray[Any] | None = None,
) -> Figure:
    """Draw the overview of one sequence, a column per step.

    Rows from the top: clean target, reconstruction sum_k gamma_k psi_k, assignment gamma as
    colours, true objects (if known) in the colours of their components, the mean psi_k of each
    component framed in its colour, noisy input. The first column is the random initialisation,
    where only gamma exists. Values outside [0, 1] are clipped.

    Parameters
    ----------
    sample
        The sequence to draw.
    steps
        Step numbers from 1 to T in the order of the columns; all if None.
    colours
        RGB of the components in [0, 1], shape `[K, 3]`; `component_colours(K)` if None.

    Returns
    -------
    Figure
        One axes a row, in the order above, whose images are the cells from left to right.

    Raises
    ------
    ConfigError
        `steps` is empty or leaves 1 to T, or `colours` do not fit.
    """
    numbers = list(range(1, sample.num_steps + 1)) if steps is None else list(steps)
    if not numbers or not all(1 <= number <= sample.num_steps for number in numbers):
        raise ConfigError(
            f"steps: expected one or more numbers from 1 to {sample.num_steps}, got {numbers}"
        )
    palette = check_colours(colours, sample.num_components)
    return _draw(_rows(sample, [number - 1 for number in numbers], palette), numbers, sample.title)


def _rows(
    sample: SegmentationSample, indices: list[int], colours: NDArray[np.float64]
) -> list[_Row]:
    """Collect the rows of the page from the top."""

    def after_init(frames: NDArray[Any]) -> list[NDArray[Any] | None]:
        """Leave the column of the initialisation empty."""
        return [None, *(_displayable(frames[index]) for index in indices)]  # [rows, columns, C]

    assignment = mix_colours(sample.gamma, colours)  # [T, rows, columns, 3]
    rows = [
        _Row("clean target", "$x_{t+1}$", after_init(sample.targets)),
        _Row(
            "reconstruction", r"$\sum_k \gamma_{tk}\,\psi_{tk}$", after_init(sample.reconstruction)
        ),
        _Row(
            "assignment",
            r"$\gamma_t$",
            [mix_colours(sample.gamma_init, colours), *after_init(assignment)[1:]],
            starts_block=True,
        ),
    ]
    if sample.groups is not None:
        painted = colour_groups(sample.groups, sample.gamma, colours)
        rows.append(_Row("true objects", "black: not scored", after_init(painted)))
    for k, colour in enumerate(colours):
        symbol = rf"$\psi_{{t{k + 1}}}$" if k < 9 else rf"$\psi_{{t,{k + 1}}}$"
        frames = after_init(sample.psi[:, k])
        rows.append(_Row(f"component {k + 1}", symbol, frames, colour, starts_block=k == 0))
    rows.append(_Row("noisy input", r"$\tilde{x}_t$", after_init(sample.inputs), starts_block=True))
    return rows


def _displayable(frame: NDArray[Any]) -> NDArray[np.float64]:
    """Clip `[rows, columns, C]` to [0, 1]; grey loses its channel axis, as imshow wants."""
    clipped = frame.astype(np.float64).clip(0.0, 1.0)
    return clipped[..., 0] if frame.shape[-1] == 1 else clipped


def _draw(rows: list[_Row], numbers: list[int], title: str) -> Figure:
    """Lay the rows out on a page that fits them exactly."""
    size = next(image.shape[:2] for row in rows for image in row.images if image is not None)
    scale = max(1, round(_CELL / max(size)))
    height, width = scale * size[0], scale * size[1]
    # Left edges of the columns; the initialisation stands a little apart from the steps.
    lefts = [0] + [(width + _GAP) * j + _BLOCK_GAP for j in range(1, len(numbers) + 1)]
    strip = lefts[-1] + width
    top = _MARGIN + _HEADER + (_TITLE if title else 0)
    tops = top + np.cumsum([_BLOCK_GAP * row.starts_block for row in rows])
    tops += max(height + _GAP, _LABEL_HEIGHT) * np.arange(len(rows))
    # Few steps make a page narrower than its title.
    page_width = max(_LABELS + strip + _MARGIN, 2 * _MARGIN + _LETTER * len(title))
    page_height = int(tops[-1]) + height + _MARGIN

    figure = Figure(figsize=(page_width / _DPI, page_height / _DPI), dpi=_DPI, facecolor="white")

    def write(x: float, y: float, text: str, **style: Any) -> None:
        """Write at dots from the top left corner."""
        figure.text(x / page_width, 1 - y / page_height, text, **style)

    if title:
        write(_MARGIN, _MARGIN, title, va="top", fontsize=12, fontweight="bold", color=INK)
    header = top - 10
    write(_LABELS - 18, header, "step $t$", ha="right", va="baseline", fontsize=9, color=FAINT)
    for left, name in zip(lefts, ["init", *map(str, numbers)], strict=True):
        centre = _LABELS + left + width / 2
        write(centre, header, name, ha="center", va="baseline", fontsize=9, color=FAINT)
    for row, row_top in zip(rows, tops, strict=True):
        bottom = page_height - row_top - height
        axes = figure.add_axes(
            (
                _LABELS / page_width,
                bottom / page_height,
                strip / page_width,
                height / page_height,
            )
        )
        _fill(axes, row, lefts, (height, width))
        middle = row_top + height / 2
        edge = _LABELS - 18
        write(edge, middle - 3, row.words, ha="right", va="bottom", fontsize=9, color=INK)
        write(edge, middle + 3, row.symbol, ha="right", va="top", fontsize=8.5, color=FAINT)
    return figure


def _fill(axes: Axes, row: _Row, lefts: list[int], size: tuple[int, int]) -> None:
    """Place the images of one row; an axes has one unit a dot, and y runs downwards."""
    height, width = size
    axes.set_axis_off()
    for left, image in zip(lefts, row.images, strict=True):
        if image is None:
            continue
        axes.imshow(
            image,
            cmap="gray",
            vmin=0.0,
            vmax=1.0,
            aspect="auto",
            interpolation="nearest",
            extent=(left, left + width, height, 0),
        )
        if row.border is not None:
            # Around the image, not on it: a border must not hide pixels.
            axes.add_patch(
                Rectangle(
                    (left - _BORDER / 2, -_BORDER / 2),
                    width + _BORDER,
                    height + _BORDER,
                    fill=False,
                    edgecolor=row.border,
                    linewidth=_BORDER * 72 / _DPI,
                    joinstyle="miter",
                    clip_on=False,
                )
            )
    # imshow leaves the limits at the last image.
    axes.set_xlim(0, lefts[-1] + width)
    axes.set_ylim(height, 0)
