"""Where segmentations are uncertain, and where those of several restarts differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError
from pyro_nem.plots.colours import mix_colours
from pyro_nem.plots.groups import colour_groups
from pyro_nem.plots.style import FAINT, INK

__all__ = ["RestartSample", "uncertainty_figure", "uncertainty_maps"]

_CELL = 1.0  # inches
_MAP = "cividis"  # lightness grows evenly, and it looks the same to most colour-blind readers
_LEFT_OUT = "#D9D9D9"  # lighter than any colour of the map without being one


@dataclass(frozen=True, eq=False)
class RestartSample:
    """One frame and how several restarts assign its pixels.

    Attributes
    ----------
    frame
        Shape `[rows, columns, C]`, C = 1 or 3; clipped to [0, 1].
    gamma
        Responsibilities of R restarts, components in one numbering, `[R, K, rows, columns]`.
    groups
        True ids, integers, `[rows, columns]`, 0 not scored; None where not known.
    title
        What stands at the left of the row.
    """

    frame: NDArray[Any]
    gamma: NDArray[Any]
    groups: NDArray[Any] | None
    title: str


def uncertainty_maps(gamma: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Divide the uncertainty of each pixel into that within restarts and that between them.

    Parameters
    ----------
    gamma
        Responsibilities of R restarts, components in one numbering; shape `[R, K, rows, columns]`.

    Returns
    -------
    within, between : NDArray
        Mean entropy of a restart, and entropy of the mean minus that (Jensen and Shannon's
        divergence), both as a share of log K; shape `[rows, columns]`. 0 for a single component.
    """
    scale = max(np.log(gamma.shape[1]), np.finfo(np.float64).tiny)
    within = _entropy(gamma.astype(np.float64), 1).mean(0) / scale
    total = _entropy(gamma.mean(0, dtype=np.float64), 0) / scale
    # Rounding may leave less than nothing.
    return within, np.maximum(total - within, 0.0)


def _entropy(gamma: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    # The logarithm of the placeholder is 0, as 0 log 0 is.
    logs = np.log(np.where(gamma > 0, gamma, 1.0))
    entropy: NDArray[np.float64] = -(gamma * logs).sum(axis)
    return entropy


def uncertainty_figure(samples: Sequence[RestartSample]) -> Figure:
    """Draw a row for each frame: frame, truth, the restarts' assignments, two maps of uncertainty.

    The maps leave out pixels that are not scored, which every component may explain equally well:
    they are grey. A frame without any scored pixel has all of them.

    Parameters
    ----------
    samples
        Frames that agree in R, K and in whether they have groups.

    Raises
    ------
    ConfigError
        If there is none, or they do not agree.
    """
    if not samples:
        raise ConfigError("samples: expected at least one, got none")
    _check_alike(samples)
    labels = ["frame"] if samples[0].groups is None else ["frame", "true objects"]
    restarts = len(samples[0].gamma)
    labels += [f"restart {r + 1}" for r in range(restarts)]
    labels += ["uncertain in\neach restart", "differs between\nrestarts"]
    size = (_CELL * len(labels) + 1.5, _CELL * len(samples) + 0.5)
    figure = Figure(figsize=size, dpi=110, facecolor="white", layout="constrained")
    colours = matplotlib.colormaps[_MAP].with_extremes(bad=_LEFT_OUT)
    grid = figure.subplots(len(samples), len(labels), squeeze=False)
    for row, sample in zip(grid, samples, strict=True):
        for axes, image in zip(row[:-2], _pictures(sample), strict=True):
            _show(axes, image)
        for axes, values in zip(row[-2:], uncertainty_maps(sample.gamma), strict=True):
            shown = np.ma.masked_array(values, _left_out(sample))
            axes.imshow(shown, cmap=colours, vmin=0, vmax=1, interpolation="nearest")
            _bare(axes)
        row[0].set_ylabel(sample.title, fontsize=8, color=INK)
    for axes, label in zip(grid[0], labels, strict=True):
        axes.set_title(label, fontsize=8, color=INK)
    bar = figure.colorbar(grid[0, -1].images[0], ax=grid, shrink=0.6, aspect=30, pad=0.01)
    bar.set_ticks([0, 0.5, 1], labels=["certain", "half", "a guess"])
    bar.ax.tick_params(labelsize=8, color=FAINT, labelcolor=FAINT)
    return figure


def _check_alike(samples: Sequence[RestartSample]) -> None:
    """Check that samples fill the same columns."""
    first = samples[0]
    for index, other in enumerate(samples):
        if other.gamma.shape[:2] != first.gamma.shape[:2]:
            raise ConfigError(
                f"samples: expected gamma of one (R, K) in all, got {first.gamma.shape[:2]} in "
                f"sample 0 and {other.gamma.shape[:2]} in sample {index}"
            )
        if (other.groups is None) != (first.groups is None):
            raise ConfigError(
                f"samples: expected groups in all or in none, but samples 0 and {index} differ"
            )


def _left_out(sample: RestartSample) -> NDArray[np.bool_]:
    """Return where the maps are grey."""
    if sample.groups is None or not sample.groups.any():
        return np.zeros(sample.gamma.shape[2:], dtype=np.bool_)
    where: NDArray[np.bool_] = sample.groups == 0
    return where


def _pictures(sample: RestartSample) -> list[NDArray[Any]]:
    frame = np.asarray(sample.frame, np.float64).clip(0.0, 1.0)
    truth = []
    if sample.groups is not None:
        truth = [colour_groups(sample.groups[None], sample.gamma[:1])[0]]
    return [frame, *truth, *mix_colours(sample.gamma)]


def _show(axes: Axes, image: NDArray[Any]) -> None:
    shown = image[..., 0] if image.shape[-1] == 1 else image
    axes.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
