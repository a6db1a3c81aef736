"""Whether probabilities mean what they say."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from inference.diagnostics.schema import variable
from pyro_nem.checks import at_least
from pyro_nem.errors import ConfigError

__all__ = ["Calibration", "calibration", "co_assignment_calibration"]


class Calibration(NamedTuple):
    """A reliability curve and its summaries.

    Attributes
    ----------
    probability
        Mean probability of each bin, [bins]; NaN where it is empty.
    frequency
        How often the event happened there, [bins]; NaN where it is empty.
    error
        Standard deviation that the frequency has if the probabilities are right and the events
        independent, [bins]; NaN where the bin is empty.
    events
        Number of events of each bin, [bins].
    brier
        Mean squared difference of probability and event, between 0 and 1; small where
        probabilities are right and far from 1/2. NaN without events.
    ece
        Expected calibration error: mean distance of the curve from the diagonal, weighted by
        ``events``. Never quite 0 for a finite number of events. NaN without events.
    """

    probability: NDArray[np.float64]
    frequency: NDArray[np.float64]
    error: NDArray[np.float64]
    events: NDArray[np.int64]
    brier: float
    ece: float


def calibration(
    probability: NDArray[np.floating], happened: NDArray[np.bool_], *, bins: int = 10
) -> Calibration:
    """Compare probabilities with what happened, in bins of equal width.

    Parameters
    ----------
    probability
        Of each event, [N], in [0, 1].
    happened
        Whether it happened, [N].
    bins
        Number of bins.

    Raises
    ------
    ConfigError
        If a probability is outside [0, 1] or NaN, or the shapes differ.
    """
    at_least(1, bins=bins)
    if probability.shape != happened.shape or probability.ndim != 1:
        raise ConfigError(
            "probability, happened: expected two arrays [N], got "
            f"{list(probability.shape)} and {list(happened.shape)}"
        )
    # Sums of float32 products may exceed 1 by rounding.
    if not ((probability >= 0.0) & (probability <= 1.0 + 1e-5)).all():
        raise ConfigError("probability: expected numbers in [0, 1], got others, or NaN")
    p = np.minimum(probability.astype(np.float64), 1.0)
    event = happened.astype(np.float64)
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = np.where(count > 0, count, math.nan)
    mean = np.bincount(place, p, bins) / filled
    frequency = np.bincount(place, event, bins) / filled
    variance = np.bincount(place, p * (1.0 - p), bins) / filled
    if not len(p):
        return Calibration(mean, frequency, mean, count, math.nan, math.nan)
    distance = np.nansum(count * np.abs(mean - frequency)) / len(p)
    brier = float(np.mean((p - event) ** 2))
    return Calibration(mean, frequency, np.sqrt(variance / filled), count, brier, float(distance))


def co_assignment_calibration(tree: xr.DataTree, *, bins: int = 10) -> Calibration:
    """Compare P(two pixels are in one component) with whether they are in one object.

    sum_k gamma_ik gamma_jk of the last step, averaged over draws and chains, for the pairs of
    scored pixels that :func:`inference.diagnose` drew.

    It asks for more than the model promises: the posterior is calibrated for the components of the
    model that made the data, and no component has to be an object. Where the curve is above the
    diagonal, the guide splits objects; where it is below, it merges them. Most events are near 0
    and 1, so look at ``events``. Pairs share pixels and pixels share objects, so
    that the errors of real images are larger than ``error``.

    Parameters
    ----------
    tree
        What :func:`inference.diagnose` returned.
    bins
        Number of bins.

    Returns
    -------
    Calibration
        All NaN, with 0 events, if no pixel is scored.

    Raises
    ------
    ConfigError
        If the data have no labels.
    """
    same = variable(tree, "constant_data/pair_same").values  # [N, P]
    if not tree.attrs["labels"]:
        raise ConfigError(
            "tree: the data have no labels, so there is no truth to compare with; give diagnose a "
            "source with groups"
        )
    known = same >= 0
    probability = variable(tree, "sample_stats/pair_probability").mean("chain").values  # [N, P]
    return calibration(probability[known], same[known] == 1, bins=bins)
