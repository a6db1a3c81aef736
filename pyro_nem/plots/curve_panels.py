"""Curves in panels, the same few lines in each."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from pyro_nem.errors import ConfigError
from pyro_nem.plots.style import BLUE, INK, ORANGE, VERMILION, tidy

__all__ = ["CurvePanel", "curve_panels"]

_STYLES = ((BLUE, "-", "o"), (VERMILION, "--", "s"), (ORANGE, ":", "^"), (INK, "-.", "v"))
_COLUMNS = 4


class CurvePanel(NamedTuple):
    """A panel to draw.

    Attributes
    ----------
    title, label
        What is written above it and at its horizontal axis.
    curves
        Label -> points (x, y); up to four lines, each label looking the same in every panel.
    """

    title: str
    label: str
    curves: Mapping[str, Sequence[tuple[float, float]]]


def curve_panels(panels: Sequence[CurvePanel], label: str) -> Figure:
    """Draw panels side by side, the horizontal axes logarithmic and the vertical one shared.

    Parameters
    ----------
    panels
        One or more, from left to right in rows of four.
    label
        Of the vertical axis, with units.

    Raises
    ------
    ConfigError
        If there is no panel, a curve has no points, or there are more than four different lines.
    """
    names = list(dict.fromkeys(name for panel in panels for name in panel.curves))
    if not panels or len(names) > len(_STYLES):
        raise ConfigError(
            f"panels: expected at least one and up to {len(_STYLES)} different curves, got "
            f"{len(panels)} and {names}"
        )
    for panel in panels:
        empty = [name for name, points in panel.curves.items() if not points]
        if empty:
            raise ConfigError(
                f"panels: expected points of each curve, got none of {empty[0]!r} in "
                f"{panel.title!r}; leave it out there"
            )
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    size = (3.2 * columns, 2.8 * rows)
    figure = Figure(figsize=size, dpi=150, facecolor="white", layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for panel, axis in zip(panels, axes, strict=False):
        for name, points in panel.curves.items():
            colour, style, marker = _STYLES[names.index(name)]
            across, up = zip(*points, strict=True)
            axis.plot(
                across, up, style, color=colour, marker=marker, markersize=3, label=name, lw=1.4
            )
        axis.set_xscale("log")
        # Powers of ten alone would leave a panel of less than a decade with one label.
        axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel(panel.label)
        tidy(axis, panel.title)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    for axis in axes[::columns]:
        axis.set_ylabel(label, fontsize=9, color=INK)
    axes[0].legend(fontsize=8, frameon=False, handlelength=3.2)
    return figure
