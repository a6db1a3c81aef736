"""What the posterior of a run on sequences or images comes to, as metrics of a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import xarray as xr

from experiments.tables.result_rows import ResultRow
from inference.diagnostics import (
    UNRELIABLE,
    active_latents,
    bound_tightness,
    effective_draws,
    k_hat,
)
from inference.diagnostics.schema import variable

__all__ = ["POSTERIOR_SECTION", "posterior_notes", "posterior_scores"]

POSTERIOR_SECTION: Final = "posterior"
"""The section of a table that has these."""

_NOTE: Final = (
    "What posterior.nc says of the sequences or images in it: median k-hat, share of them with a "
    f"k-hat above {UNRELIABLE}, median number of equal draws that the weights are worth, mean IWAE "
    "less ELBO in nats a sequence or image, all by the draws of the file; active latents of "
    "sequences."
)


def posterior_notes(rows: Iterable[ResultRow]) -> dict[str, str]:
    """Return what the section is, by its name; nothing for rows without it."""
    there = any(row.section == POSTERIOR_SECTION for row in rows)
    return {POSTERIOR_SECTION: _NOTE} if there else {}


def posterior_scores(tree: xr.DataTree) -> dict[str, float]:
    """Return what a posterior comes to, by metric; what is not known is not there.

    A table has the active latents of images from all test images, so they are left out.
    """
    shapes = k_hat(tree).values
    scores = {
        "effective_draws": float(effective_draws(tree).median()),
        "bound_gap": float(bound_tightness(tree)["gap"].mean()),
    }
    if np.isfinite(shapes).all():
        scores["k_hat"] = float(shapes.median())
        scores[f"k_hat_above_{UNRELIABLE}"] = float((shapes > UNRELIABLE).mean())
    if "sequence" in variable(tree, "sample_stats/log_weight").dims:
        active = active_latents(tree).active
        scores |= {f"active_{name}": float(count) for name, count in active.items()}
    return scores
