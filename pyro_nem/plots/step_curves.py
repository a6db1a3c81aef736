"""How scores develop over the steps of a sequence."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pyro_nem.errors import ConfigError
from pyro_nem.plots.style import BLUE, VERMILION, tidy

__all__ = ["StepCurve", "step_curves"]

_STYLES = ((BLUE, "-", "o"), (VERMILION, "--", "s"))


class StepCurve(NamedTuple):
    """A score at each step and half the width of its interval, [T] each; NaN draws no band."""

    means: Sequence[float]
    margins: Sequence[float]


def step_curves(curves: Mapping[str, StepCurve], title: str) -> Figure:
    """Draw scores over steps, with their intervals as bands.

    Parameters
    ----------
    curves
        Label -> a score; one or two.
    title
        What the scores are.

    Raises
    ------
    ConfigError
        If there are none, or more than two.
    """
    if not 1 <= len(curves) <= len(_STYLES):
        raise ConfigError(f"curves: expected 1 or {len(_STYLES)}, got {len(curves)}")
    figure = Figure(figsize=(6.5, 3.4), dpi=150, facecolor="white", layout="constrained")
    axes = figure.subplots()
    for (label, curve), (colour, style, marker) in zip(curves.items(), _STYLES, strict=False):
        means, margins = np.asarray(curve.means), np.asarray(curve.margins)
        steps = np.arange(1, len(means) + 1)
        axes.plot(
            steps, means, style, color=colour, marker=marker, markersize=3.5, label=label, lw=1.6
        )
        axes.fill_between(steps, means - margins, means + margins, color=colour, alpha=0.18, lw=0)
    axes.set_xlabel("step")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    axes.legend(fontsize=8, frameon=False, handlelength=3.2)
    tidy(axes, title)
    return figure
