"""How tight the bound is."""

from __future__ import annotations

import math

import xarray as xr

from inference.diagnostics.schema import variable

__all__ = ["bound_tightness"]


def bound_tightness(tree: xr.DataTree) -> xr.Dataset:
    """Return ELBO, IWAE_S and their difference for each sequence, S being the draws of a chain.

    IWAE_S - ELBO is at most KL(q || p(theta | x)), and nears it as S grows: what the guide loses by
    its form and by its network. It is 0 where the guide is the posterior.

    What it does not see: it is small too where S draws are too few, or all miss the same states.
    Read it beside :func:`k_hat`. For guides of point masses both bounds are log p(x | theta) at
    their states and the gap is 0, which says nothing about the states.

    Parameters
    ----------
    tree
        What :func:`inference.diagnose` returned.

    Returns
    -------
    xr.Dataset
        ``elbo``, ``iwae`` and ``gap``, means over chains, and ``gap_error``, the standard error of
        that mean; all by sequence, in nats. The error is NaN for a single chain.
    """
    elbo, iwae = (variable(tree, f"sample_stats/{name}") for name in ("elbo", "iwae"))
    gap = iwae - elbo  # (chain, sequence)
    chains = gap.sizes["chain"]
    if chains > 1:
        error = gap.std("chain", ddof=1) / math.sqrt(chains)
    else:
        error = xr.full_like(gap.isel(chain=0, drop=True), math.nan)
    means = {"elbo": elbo, "iwae": iwae, "gap": gap}
    found = {name: values.mean("chain") for name, values in means.items()}
    return xr.Dataset({**found, "gap_error": error})
