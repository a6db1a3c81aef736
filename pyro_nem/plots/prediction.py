"""How predictions age: scores over the steps that nothing was seen of."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pyro_nem.errors import ConfigError
from pyro_nem.plots.style import BLUE, VERMILION

__all__ = ["prediction_curves"]

# Colour and line style both tell the lines apart, so that a print in grey can be read as well.
_LINES = {
    "wrong_pixels": ("model", BLUE, "-"),
    "wrong_pixels_copy": ("copy of the last seen frame", VERMILION, "--"),
}


def prediction_curves(per_step: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the share of wrong pixels, and the adjusted Rand index if there is one, over steps.

    Parameters
    ----------
    per_step
        Name -> a value for each predicted step: "wrong_pixels", "wrong_pixels_copy" and, where
        there are labels, "ari".

    Raises
    ------
    ConfigError
        If one of the first two is missing.
    """
    missing = [name for name in _LINES if name not in per_step]
    if missing:
        raise ConfigError(f"per_step: expected {', '.join(_LINES)}, {missing[0]} is missing")
    panels = 2 if "ari" in per_step else 1
    figure = Figure(figsize=(4.5 * panels, 3.2), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for name, (label, colour, style) in _LINES.items():
        values = per_step[name]
        axes[0].plot(range(1, len(values) + 1), values, style, color=colour, label=label)
    axes[0].set_ylim(bottom=0.0)
    axes[0].set_ylabel("share of wrong pixels")
    axes[0].legend(frameon=False)
    if panels == 2:
        values = per_step["ari"]
        axes[1].plot(range(1, len(values) + 1), values, color=BLUE)
        # Worse than chance is below 0.
        axes[1].set_ylim(bottom=min(0.0, axes[1].get_ylim()[0]))
        axes[1].set_ylabel("adjusted Rand index (1 is perfect)")
    for axis in axes:
        axis.set_xlabel("predicted step")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.spines[["top", "right"]].set_visible(False)
    return figure
