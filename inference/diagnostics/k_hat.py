"""Pareto k-hat: whether importance weights can be relied on."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from inference.diagnostics.schema import variable

__all__ = ["UNRELIABLE", "KHat", "k_hat", "loo_k_hat"]

UNRELIABLE = 0.7
"""Weights with a larger k-hat should not be relied on (Vehtari et al. 2024)."""

# With fewer draws the tail of their weights has too few to be fitted.
_FEWEST = 25

# In nats; rounding of the log-weights of an exact posterior is below it.
_EQUAL = 1e-6

_DRAWS = ("chain", "draw")


class KHat(NamedTuple):
    """Shapes of the tails of importance weights.

    Attributes
    ----------
    values
        k-hat, by sequence or by pixel.
    above
        How many are above 0.7.
    unknown
        How many are NaN.
    """

    values: xr.DataArray
    above: int
    unknown: int


def k_hat(tree: xr.DataTree) -> KHat:
    """Return k-hat of the weights p(x, theta) / q(theta) of each sequence, all chains together.

    Below 0.5 the mean weight, and with it the importance-weighted bound, has a finite variance;
    from 0.7 on it is not reliable with any affordable number of draws. The guide then misses states
    that explain the sequence: usually it is too narrow.

    What it does not see: states that no draw came near. A guide that numbers the components in one
    way misses K! - 1 equally good numberings, and nobody notices, as it should be. A guide that
    misses a second explanation of the image looks the same. With few draws the estimate is noisy,
    and drawn towards 0.5.

    Parameters
    ----------
    tree
        What :func:`inference.diagnose` returned.

    Returns
    -------
    KHat
        One value for each sequence. -inf where the weights are equal, as under the exact posterior;
        NaN for guides of point masses, which have no weights, and for fewer than 25 draws in all.

    References
    ----------
    Vehtari, Simpson, Gelman, Yao and Gabry (2024), Pareto smoothed importance sampling.
    """
    return _k_hats(tree, variable(tree, "sample_stats/log_weight"))


def loo_k_hat(tree: xr.DataTree) -> KHat:
    """Return k-hat of PSIS-LOO for each stored pixel, z summed out.

    The weights are p(x, theta) / q(theta) / p(x_i | theta): they take the guide for what it is and
    leave pixel i out. Above 0.7, the pixel decides on its own where the states are, or the guide
    was no good to begin with: see :func:`k_hat` of its sequence first.

    Parameters
    ----------
    tree
        What :func:`inference.diagnose` returned.

    Returns
    -------
    KHat
        One value for each pixel of the shown sequences and steps. -inf where the largest weights
        are equal; NaN where most of them are, and as :func:`k_hat`. A pixel takes half a
        millisecond.

    References
    ----------
    Magnusson, Andersen, Jonasson and Vehtari (2019), Bayesian leave-one-out cross-validation for
    large data.
    """
    left_out = variable(tree, "log_likelihood/pixel")
    weights = variable(tree, "sample_stats/log_weight").rename(sequence="shown_sequence")
    shown = weights.sel(shown_sequence=left_out["shown_sequence"])
    return _k_hats(tree, (shown - left_out).transpose(*left_out.dims))


def _k_hats(tree: xr.DataTree, log_weights: xr.DataArray) -> KHat:
    """Return k-hat over chains and draws of log-weights (chain, draw, ...)."""
    example = log_weights.isel(chain=0, draw=0, drop=True)
    number = log_weights.sizes["chain"] * log_weights.sizes["draw"]
    if not tree.attrs["stochastic"] or number < _FEWEST:
        values = xr.full_like(example, math.nan, dtype=np.float64)
        return KHat(values, 0, values.size)
    rows = log_weights.stack(all=_DRAWS).transpose(..., "all").values.reshape(-1, number)
    found = np.array([_tail_shape(row) for row in rows.astype(np.float64)])
    values = xr.zeros_like(example, dtype=np.float64)
    values.values = found.reshape(values.shape)
    return KHat(values, int((found > UNRELIABLE).sum()), int(np.isnan(found).sum()))


def _tail_shape(log_weights: NDArray[np.float64]) -> float:
    number = len(log_weights)
    # As many as ArviZ takes for the tail.
    tail = math.ceil(min(0.2 * number, 3 * math.sqrt(number)))
    largest = np.sort(log_weights)[-tail:]
    if largest[-1] - largest[0] < _EQUAL:
        return -math.inf
    # ArviZ divides by the distances to the smallest weight of the tail, of which many may be 0.
    with np.errstate(divide="ignore", invalid="ignore"):
        # It takes log-likelihoods of what is left out, the negative log-weights.
        _, shape = array_stats.psislw(-log_weights)
    return float(shape)
