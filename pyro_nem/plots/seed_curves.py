"""Scores over the steps of a recurrence: means and deviations over seeds, by setting."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError
from pyro_nem.plots.colours import component_colours
from pyro_nem.plots.style import FAINT, INK

__all__ = ["seed_curves"]

_STYLES = ("-", "--", ":", "-.")
# Characters of a line of the legend, and its height in inches.
_WIDTH = 85
_LINE = 0.18


def seed_curves(
    scores: Mapping[str, NDArray[np.float64]],
    label: str,
    trained: int | None = None,
    updates: Sequence[int] | None = None,
) -> Figure:
    """Draw the mean over seeds at each step or update, and a band of one standard deviation.

    Parameters
    ----------
    scores
        Setting -> values [seeds, T]. A single seed has no band.
    label
        Of the vertical axis, with units.
    trained
        The steps of the training, marked by a line if given.
    updates
        The number of the update of each value, where they are of a training and not of steps.

    Raises
    ------
    ConfigError
        If there is nothing to draw, or a setting's values are not [seeds, T].
    """
    places = None if updates is None else np.array(updates)
    for name, values in scores.items():
        if values.ndim != 2 or not values.size:
            raise ConfigError(f"scores: expected [seeds, T], got {list(values.shape)} for {name}")
        if places is not None and values.shape[1] != len(places):
            raise ConfigError(
                f"updates: expected one for each of {values.shape[1]} values of {name}, got "
                f"{len(places)}"
            )
    if not scores:
        raise ConfigError("scores: expected at least one setting, got none")
    labels = {name: textwrap.fill(name, _WIDTH) for name in scores}
    lines = sum(1 + text.count("\n") for text in labels.values()) + (trained is not None)
    size = (6.0, 3.4 + _LINE * lines)
    figure = Figure(figsize=size, dpi=150, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    colours = component_colours(len(scores))
    for index, (name, values) in enumerate(scores.items()):
        # Line styles tell settings apart in a print in grey.
        style, colour = _STYLES[index % len(_STYLES)], tuple(colours[index])
        steps = np.arange(1, values.shape[1] + 1) if places is None else places
        mean = values.mean(0)  # [T]
        axes.plot(steps, mean, style, color=colour, label=labels[name], linewidth=1.6)
        if len(values) > 1:
            deviation = values.std(0, ddof=1)  # [T]
            low, high = mean - deviation, mean + deviation
            axes.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
    if trained is not None:
        mark = f"{trained} steps of training"
        axes.axvline(trained, color=FAINT, linewidth=0.8, linestyle="--", label=mark)
    axes.set_xlabel("step" if places is None else "update", fontsize=9, color=INK)
    axes.set_ylabel(label, fontsize=9, color=INK)
    axes.tick_params(labelsize=8, color=FAINT)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    # Below the axes, where names of any length hide no curve.
    figure.legend(loc="outside lower left", fontsize=8, frameon=False, handlelength=3.2)
    return figure
