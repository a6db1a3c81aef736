"""Components of several restarts in one numbering, to be looked at."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.optimize import linear_sum_assignment

from inference.diagnostics.schema import variable

__all__ = ["aligned_gamma"]


def aligned_gamma(tree: xr.DataTree) -> xr.DataArray:
    """Return the responsibilities of the shown frames, components numbered as in the first chain.

    For each chain and sequence, the numbering with the largest overlap sum_k gamma_k gamma'_k over
    all shown pixels (Hungarian method).

    For display only: whatever is computed from aligned components, a mean or an R-hat, looks better
    than it is, because alignment removes part of the disagreement. Where restarts segment a video
    differently there is no right numbering, and components of one restart do not have to
    correspond to any of another.

    Parameters
    ----------
    tree
        What :func:`inference.diagnose` returned.

    Returns
    -------
    xr.DataArray
        ``sample_stats/gamma`` with its components in another order.
    """
    gamma = variable(tree, "sample_stats/gamma")
    flat = gamma.transpose("chain", "shown_sequence", "component", ...).values
    flat = flat.reshape(*flat.shape[:3], -1)  # [R, B, K, T D]
    overlap = np.einsum("bkn,rbln->rbkl", flat[0], flat)
    order = np.array(
        [[linear_sum_assignment(each, maximize=True)[1] for each in chain] for chain in overlap]
    )  # [R, B, K]
    places = order[:, :, None, :, None, None]
    return gamma.copy(data=np.take_along_axis(gamma.values, places, 3))
