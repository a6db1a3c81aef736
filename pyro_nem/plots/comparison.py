"""Models beside each other: how far each is from the best one."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from pyro_nem.errors import ConfigError
from pyro_nem.plots.style import BLUE, FAINT, INK

__all__ = ["comparison_figure"]

# Longer names lose their middle; inches that a letter of the others takes.
_LONGEST = 60
_LETTER = 0.066


def comparison_figure(
    names: Sequence[str],
    differences: Sequence[float],
    intervals: Sequence[float],
    noise: Sequence[bool],
    label: str,
) -> Figure:
    """Draw differences from the best model, with intervals, the best one on top.

    Filled marks are differences, open ones noise, so that a print in grey can be read as well.

    Parameters
    ----------
    names
        The models, best first. Of more than 60 letters, the first and last are shown.
    differences
        From the best one, whose own is 0.
    intervals
        Half the width of each interval.
    noise
        Whether the interval holds 0.
    label
        Of the axis, with units.

    Raises
    ------
    ConfigError
        If there is nothing to draw, or the numbers are not as many as the names.
    """
    lengths = {len(names), len(differences), len(intervals), len(noise)}
    if len(lengths) > 1 or not names:
        raise ConfigError(
            f"names: expected as many as differences, intervals and noise, and at least one, got "
            f"{len(names)}, {len(differences)}, {len(intervals)} and {len(noise)}"
        )
    shown = [_shortened(name) for name in names]
    size = (5.0 + _LETTER * max(map(len, shown)), 1.3 + 0.4 * len(names))
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    axes = figure.add_subplot()
    axes.axvline(0.0, color=FAINT, linewidth=0.8, linestyle="--")
    for row, (x, width, open_mark) in enumerate(zip(differences, intervals, noise, strict=True)):
        face = "white" if open_mark else BLUE
        axes.errorbar(
            x, row, xerr=width, fmt="o", color=BLUE, markerfacecolor=face, capsize=3, linewidth=1.6
        )
    axes.set_yticks(range(len(names)), shown, fontsize=8, color=INK)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel(label, fontsize=9, color=INK)
    axes.tick_params(labelsize=8, color=FAINT)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _shortened(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    half = (_LONGEST - 1) // 2
    return f"{name[:half]}\N{HORIZONTAL ELLIPSIS}{name[-half:]}"
