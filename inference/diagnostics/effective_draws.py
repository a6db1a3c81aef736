"""Of how many draws the importance weights are worth."""

from __future__ import annotations

import numpy as np
import xarray as xr

from inference.diagnostics.schema import variable

__all__ = ["effective_draws"]


def effective_draws(tree: xr.DataTree) -> xr.DataArray:
    """Return (sum w)^2 / sum w^2 of the weights of each sequence or image, all chains together.

    From 1, where one draw has all the weight, to the number of draws, where all weigh the same. The
    weight of a sequence is a product over its steps, so it falls with the length, whatever the
    guide.

    What it does not see: draws that none of these came near; see :func:`k_hat`.

    Parameters
    ----------
    tree
        What a function like :func:`inference.diagnose` returned.

    Returns
    -------
    xr.DataArray
        One number for each sequence or image. NaN for guides of point masses, which have no
        weights.
    """
    log_weights = variable(tree, "sample_stats/log_weight").astype(np.float64)
    every = ("chain", "draw")
    weights: xr.DataArray = xr.apply_ufunc(np.exp, log_weights - log_weights.max(every))
    found = weights.sum(every) ** 2 / (weights**2).sum(every)
    # Copies of a point are no draws.
    return found.where(bool(tree.attrs["stochastic"]))
