"""Waveforms as pictures."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError

__all__ = ["WavePicture", "waveform_figure"]

_INK = "#222222"
_PREDICTED = "#D55E00"


class WavePicture(NamedTuple):
    """A waveform to draw.

    Attributes
    ----------
    title
        What is written above it.
    samples
        `[N]`.
    seen
        The number of samples that were given; later ones are predicted and have another colour.
    """

    title: str
    samples: NDArray[Any]
    seen: int | None = None


def waveform_figure(rows: Sequence[Sequence[WavePicture]], *, rate: int) -> Figure:
    """Draw waveforms in rows, time to the right, all at one scale.

    Parameters
    ----------
    rows
        Waveforms from left to right, in each row the same number of them.
    rate
        Samples a second.

    Raises
    ------
    ConfigError
        There is no waveform, or rows differ in their number.
    """
    widths = {len(row) for row in rows}
    if len(widths) != 1 or 0 in widths:
        raise ConfigError(
            f"rows: expected one or more rows with as many waveforms each, got {sorted(widths)}"
        )
    (columns,) = widths
    pictures = [picture for row in rows for picture in row]
    loudest = max(float(np.abs(picture.samples).max(initial=0.0)) for picture in pictures) or 1.0
    longest = max(len(picture.samples) for picture in pictures) / rate
    figure = Figure(
        figsize=(3.6 * columns, 1.5 * len(rows)), dpi=150, facecolor="white", layout="constrained"
    )
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for line, row in zip(axes, rows, strict=True):
        for axis, picture in zip(line, row, strict=True):
            seconds = np.arange(len(picture.samples)) / rate
            seen = len(picture.samples) if picture.seen is None else picture.seen
            for part, colour in ((slice(seen), _INK), (slice(seen, None), _PREDICTED)):
                axis.plot(seconds[part], picture.samples[part], color=colour, linewidth=0.4)
            axis.set(xlim=(0.0, longest), ylim=(-1.05 * loudest, 1.05 * loudest), yticks=[])
            axis.set_title(picture.title, loc="left", fontsize=8, color=_INK)
            axis.tick_params(labelsize=7)
            axis.spines[["top", "right", "left"]].set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("seconds", fontsize=7)
    return figure
