"""Whether probabilities mean what they say, as a picture."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pyro_nem.plots.style import BLUE, FAINT, tidy

__all__ = ["reliability_diagram"]


def reliability_diagram(
    probability: NDArray[Any],
    frequency: NDArray[Any],
    error: NDArray[Any],
    events: NDArray[Any],
    event: str,
) -> Figure:
    """Draw how often an event happens against how probable it was, and how many there were.

    Parameters
    ----------
    probability, frequency, error
        Of each bin, `[bins]`, NaN where it is empty: mean probability, how often it happened, and
        the standard deviation of that. Bars are two of these long on each side.
    events
        Number of events of each bin, `[bins]`; bins divide [0, 1] equally.
    event
        What happens, for the axes.
    """
    figure = Figure(figsize=(5.2, 4.6), dpi=150, facecolor="white", layout="constrained")
    curve, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    curve.plot([0, 1], [0, 1], ":", color=FAINT, lw=1.2, label="perfectly calibrated")
    filled = events > 0
    curve.errorbar(
        probability[filled],
        frequency[filled],
        2 * error[filled],
        fmt="o-",
        color=BLUE,
        markersize=4,
        lw=1.6,
        capsize=2.5,
        label="observed, ± 2 sd if independent",
    )
    curve.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel="how often it is so")
    curve.legend(fontsize=8, frameon=False, loc="upper left")
    edges = np.linspace(0, 1, len(events) + 1)
    counts.bar(edges[:-1], events, np.diff(edges) * 0.92, align="edge", color=FAINT)
    counts.set(xlabel=f"probability that {event}", ylabel="pairs")
    # Most pairs are certain, and the rest has to be seen beside them.
    counts.set_yscale("symlog", linthresh=1)
    counts.set_ylim(bottom=0)
    tidy(curve, f"{event}: stated and observed")
    tidy(counts, "")
    return figure
