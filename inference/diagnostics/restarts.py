"""Whether restarts of a guide agree."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from inference.diagnostics.schema import variable
from pyro_nem.errors import ConfigError

__all__ = ["Agreement", "largest_by_chance", "restart_agreement"]

_FEWEST_DRAWS = 4
_NAMES = ("log_likelihood", "effective_components", "co_assignment")


class Agreement(NamedTuple):
    """How restarts agree on quantities that do not depend on how components are numbered.

    Each dataset has ``log_likelihood`` and ``effective_components`` by sequence, and
    ``co_assignment`` by sequence and pair.

    Attributes
    ----------
    rhat
        Rank-normalised split R-hat: near 1 if restarts cannot be told apart, above
        :func:`largest_by_chance` if they can. NaN where all draws are equal: restarts agree,
        without any spread. inf where each restart has one value and they differ.
    ess
        Bulk effective number of draws; NaN where draws do not differ within restarts.
    spread
        Largest minus smallest mean of a restart, in nats, components and probability.
    """

    rhat: xr.Dataset
    ess: xr.Dataset
    spread: xr.Dataset


def restart_agreement(tree: xr.DataTree) -> Agreement:
    """Compare restarts by the log-likelihood, the effective components and pairs of pixels.

    Draws of a restart are independent by construction, so nothing here is about a Markov chain
    that mixes slowly: a large R-hat means that other first responsibilities gave another
    segmentation, more different than its own draws are.

    What it does not see: all restarts may agree on the same mistake. And R-hat compares with the
    spread of the draws, so it is large even for differences that nobody cares about where a guide
    is very sure: read ``spread`` beside it. The log-likelihood has no draws under guides of point
    masses, so that only its spread tells something there.

    Parameters
    ----------
    tree
        What :func:`inference.diagnose` returned.

    Raises
    ------
    ConfigError
        If there is a single restart, or fewer than four draws.
    """
    likelihood = variable(tree, "log_likelihood/frame")
    sizes = likelihood.sizes
    if sizes["chain"] < 2:
        raise ConfigError(
            "tree: expected several restarts to compare, got 1; call diagnose with restarts=4"
        )
    if sizes["draw"] < _FEWEST_DRAWS:
        raise ConfigError(
            f"tree: expected at least {_FEWEST_DRAWS} draws of each restart, got {sizes['draw']}; "
            f"call diagnose with draws={_FEWEST_DRAWS} or more"
        )
    quantities = (
        likelihood.sum("step"),
        variable(tree, "sample_stats/effective_components"),
        variable(tree, "posterior/co_assignment").astype(np.float64),
    )
    found: list[dict[str, xr.DataArray]] = [{}, {}, {}]
    for name, values in zip(_NAMES, quantities, strict=True):
        means = values.mean("draw")
        parts = [*_rhat_and_ess(values), means.max("chain") - means.min("chain")]
        for into, part in zip(found, parts, strict=True):
            into[name] = part
    return Agreement(*(xr.Dataset(part) for part in found))


def largest_by_chance(draws: int) -> float:
    """Return an R-hat that restarts which agree rarely exceed: 1 + 5 / draws of each.

    Of 1,000 quantities of four restarts with independent draws of one law, at most one in a
    thousand is above it, at 25 draws as at 100.
    """
    return 1.0 + 5.0 / draws


def _rhat_and_ess(values: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Return R-hat and ESS of values (chain, draw, ...)."""
    numbers: NDArray[np.float64] = values.values.astype(np.float64)
    columns = numbers.reshape(*numbers.shape[:2], -1)  # [chain, draw, N]
    fixed = (columns == columns[:, :1]).all((0, 1))
    same = (columns == columns[:1, :1]).all((0, 1))
    rhat = np.where(fixed & ~same, math.inf, math.nan)
    ess = np.full(len(fixed), math.nan)
    # NaN is not equal to itself, so it is not fixed, but has nothing to compute either.
    varied = ~fixed & np.isfinite(columns).all((0, 1))
    if varied.any():
        some = columns[:, :, varied]
        # Within the halves of chains that are compared a rare event may not occur at all.
        with np.errstate(divide="ignore", invalid="ignore"):
            rhat[varied] = array_stats.rhat(some, chain_axis=0, draw_axis=1)
            ess[varied] = array_stats.ess(some, chain_axis=0, draw_axis=1)
    example = values.isel(chain=0, draw=0, drop=True)
    shaped = [example.copy(data=found.reshape(example.shape)) for found in (rhat, ess)]
    return shaped[0], shaped[1]
