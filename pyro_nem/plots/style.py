"""How axes with curves look, and the colours of their lines."""

from matplotlib.axes import Axes

__all__ = ["BLUE", "FAINT", "INK", "ORANGE", "VERMILION", "tidy"]

# Of Okabe and Ito; in grey they differ in lightness, and lines in their style as well.
BLUE = "#0072B2"
VERMILION = "#D55E00"
ORANGE = "#E69F00"

INK = "#222222"
FAINT = "#6B6B6B"


def tidy(axes: Axes, title: str) -> None:
    """Give axes their title, and leave of the frame what helps to read them."""
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.xaxis.label.set(fontsize=9, color=INK)
    axes.yaxis.label.set(fontsize=9, color=INK)
    axes.tick_params(labelsize=8, color=FAINT, labelcolor=FAINT)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.grid(axis="y", color="#E3E3E3", linewidth=0.6)
    axes.set_axisbelow(True)
