"""Which latents say something about the data."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from inference.diagnostics.schema import variable

__all__ = ["ACTIVE", "ActiveLatents", "active_latents"]

ACTIVE = 0.01
"""A latent is active if its posterior mean varies by more than this (Burda et al. 2015)."""

_LOCATION = "location_"


class ActiveLatents(NamedTuple):
    """How much the posterior mean of each latent varies from one sequence or image to another.

    Attributes
    ----------
    covariances
        Name of the latents ("z", "z_1", ...) -> covariance over sequences or images, by latent; NaN
        if it is not known.
    """

    covariances: dict[str, xr.DataArray]

    @property
    def active(self) -> dict[str, int]:
        """The number of active latents by name, of those whose covariances are known."""
        return {
            name: int((values > ACTIVE).sum())
            for name, values in self.covariances.items()
            if values.notnull().all()
        }


def active_latents(tree: xr.DataTree) -> ActiveLatents:
    """Measure which latents are used.

    Of images it is Cov_x(E_q[z]). Of sequences the prior moves too, p(z_t | h_{t-1}), so that a
    posterior which only follows it has a mean that varies. What counts there is the distance from
    the prior, (E_q[z_t] - E_p[z_t]) / scale_p, which is 0 for a posterior that has collapsed onto
    it, and E_q[z_t] where the prior is standard normal. Its covariance is taken over the sequences
    that have step t, and averaged over steps, each counting with its degrees of freedom.

    The means are averages over draws, whose noise would count as variance. So the covariance is
    that between chains, which have draws of their own, averaged over all pairs of chains; it may
    come out below 0.

    What it does not see: a latent whose scale alone says something.

    Parameters
    ----------
    tree
        What :func:`inference.sequences.diagnose_sequences` or
        :func:`inference.images.diagnose_images` returned.

    Returns
    -------
    ActiveLatents
        NaN for a single chain, and where no step has two sequences.

    Raises
    ------
    ConfigError
        If the posterior is of another kind of model.
    """
    unit = tree.attrs.get("unit", "sequence")
    stats = tree.children["sample_stats"].data_vars if "sample_stats" in tree.children else {}
    names = [str(name) for name in stats if str(name).startswith(_LOCATION)]
    found = {}
    for name in names or [f"{_LOCATION}z"]:
        means = variable(tree, f"sample_stats/{name}")  # (chain, unit, [step,] latent)
        found[name.removeprefix(_LOCATION)] = _covariance(means.astype(np.float64), unit)
    return ActiveLatents(found)


def _covariance(means: xr.DataArray, unit: str) -> xr.DataArray:
    """Return the covariance between chains over units, pooled over steps, by latent."""
    chains = means.sizes["chain"]
    centred = means - means.mean(unit)
    # Of all ordered pairs of different chains.
    products = centred.sum("chain", skipna=False) ** 2 - (centred**2).sum("chain", skipna=False)
    freedom = means.isel(chain=0).notnull().sum(unit) - 1  # ([step,] latent)
    steps = [dim for dim in freedom.dims if dim == "step"]
    total, number = products.sum(unit).sum(steps), freedom.clip(min=0).sum(steps)
    pairs = chains * (chains - 1)
    return (total / (number * pairs)).where((number > 0) & (pairs > 0), math.nan)
