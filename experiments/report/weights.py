"""Importance weights: whether they can be relied on, and what the bounds are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from experiments.report.arviz_figures import k_hat_figure
from experiments.report.embedding import embedded
from experiments.report.page import Block, Picture, Table, Text
from experiments.report.wording import number, plural
from inference.diagnostics import UNRELIABLE, bound_tightness, k_hat
from inference.diagnostics.schema import variable

__all__ = ["weights"]


def weights(tree: xr.DataTree, latent: str = "states", unit: str = "sequence") -> Iterator[Block]:
    """Describe k-hat and the bounds of a posterior, or say why there are no weights.

    Parameters
    ----------
    tree
        The posterior.
    latent, unit
        What is drawn, and what has weights of its own, as words.
    """
    if not tree.attrs["stochastic"]:
        yield Text(
            f"The states of {tree.attrs['guide']} are point masses. They have no importance "
            "weights, so there is no k-hat, and the bound equals log p(x | states)."
        )
        return
    found = k_hat(tree)
    values = found.values.values
    total = plural(values.size, unit)
    if np.isfinite(values).any():
        yield Picture(
            embedded(k_hat_figure(found.values, unit)),
            f"k-hat of {total}; {found.above} above {UNRELIABLE}.",
            f"The shape of the tail of the weights p(x, {latent}) / q({latent}): below 0.5 the "
            "importance-weighted bound has a finite variance, above 0.7 it is not reliable.",
        )
    counts = [f"{found.above:,} of {total} are above {UNRELIABLE}"]
    if equal := int(np.isneginf(values).sum()):
        counts.append(f"{equal:,} have equal weights, as under the exact posterior")
    if found.unknown:
        counts.append(
            f"{found.unknown:,} have no k-hat: fewer than 25 draws, or many equal weights"
        )
    yield Text(f"{'; '.join(counts)}.")
    bounds = bound_tightness(tree)
    article = "an image" if unit == "image" else f"a {unit}"
    draws = variable(tree, "sample_stats/log_weight").sizes["draw"]
    yield Table(
        f"Bounds on log p(x) of {article}, nats, mean over {unit}s",
        (),
        [
            ("ELBO", number(float(bounds["elbo"].mean()), 2, "none")),
            (f"IWAE-{draws}", number(float(bounds["iwae"].mean()), 2, "none")),
            ("difference: what the guide loses", number(float(bounds["gap"].mean()), 2, "none")),
        ],
    )
