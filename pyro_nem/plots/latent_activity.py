"""How much each latent of a model is used."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError
from pyro_nem.plots.style import BLUE, FAINT, INK, tidy

__all__ = ["activity_figure"]

# Bars end here, as a logarithm of what is next to nothing, or below 0, has no place.
_LEAST = 1e-5


def activity_figure(covariances: Mapping[str, NDArray[Any]], threshold: float) -> Figure:
    """Draw how much the posterior mean of each latent varies, the most active ones first.

    Parameters
    ----------
    covariances
        Name of the latents -> variance of each, shape `[H]`; a panel each.
    threshold
        What active latents are above; a line, and another colour below it.

    Raises
    ------
    ConfigError
        There is nothing to draw, or a variance is not finite.
    """
    if not covariances or any(not len(values) for values in covariances.values()):
        raise ConfigError("covariances: expected those of at least one latent, got none")
    for name, values in covariances.items():
        if not np.isfinite(values).all():
            raise ConfigError(
                f"covariances: expected finite numbers, got others for {name}; leave out what is "
                "not known"
            )
    size = (6.5, 2.6 * len(covariances) + 0.4)
    figure = Figure(figsize=size, dpi=150, facecolor="white", layout="constrained")
    panels = figure.subplots(len(covariances), 1, squeeze=False)[:, 0]
    for axes, (name, values) in zip(panels, covariances.items(), strict=True):
        ordered = np.sort(np.asarray(values, np.float64))[::-1]
        active = ordered > threshold
        places = np.arange(1, len(ordered) + 1)
        axes.bar(
            places,
            ordered.clip(_LEAST) - _LEAST,
            bottom=_LEAST,
            width=0.8,
            color=np.where(active, BLUE, FAINT),
        )
        axes.axhline(threshold, color=INK, linestyle="--", linewidth=1)
        axes.set_yscale("log")
        axes.set(
            xlim=(0.3, len(ordered) + 0.7),
            ylim=(_LEAST, 2.0 * max(float(ordered[0]), threshold)),
            xlabel="latent, the most active one first",
            ylabel="variance of the mean",
        )
        tidy(axes, f"{name}: {active.sum()} of {len(ordered)} latents are active")
    return figure
