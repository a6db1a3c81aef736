"""What is suspicious about the posterior of a model of sequences or images, and what to do."""

from __future__ import annotations

import xarray as xr

from inference.diagnostics.active_latents import active_latents
from inference.diagnostics.effective_draws import effective_draws
from inference.diagnostics.findings import PROBLEMS, Finding, unreliable_weights
from inference.diagnostics.k_hat import k_hat
from inference.diagnostics.schema import variable
from pyro_nem.errors import ConfigError

__all__ = ["LATENT_PROBLEMS", "find_latent_problems", "latents_not_looked_for"]

# Nats that are next to nothing.
_SILENT = 0.05

# Of the latents: below this part of them a smaller model would do.
_FEW = 0.5

# Of the draws: below this part of them a few decide.
_DECIDE = 0.05

LATENT_PROBLEMS = {
    "silent latents": "latents that say nothing of the data",
    "inactive latents": "latents that are the same for all data",
    "unreliable weights": PROBLEMS["unreliable weights"],
    "few draws decide": "weights of which a few decide",
}
"""Name of a finding -> what is looked for."""

_TRAINING = {
    "sequence": "a longer --kl-warmup, more --free-nats, or --smoothing on where it is off",
    "image": "--objective iwae with more --particles, or longer training",
}


def find_latent_problems(tree: xr.DataTree) -> list[Finding]:
    """Check the posterior of sequences or images for collapse and weights that are not reliable.

    The checks look for what is common, with fixed thresholds: none of them proves a problem, and
    an empty list does not prove that there is none.

    Parameters
    ----------
    tree
        What :func:`inference.sequences.diagnose_sequences` or
        :func:`inference.images.diagnose_images` returned.

    Raises
    ------
    ConfigError
        If it is another posterior.
    """
    found = (check(tree, _unit(tree)) for check in (_silent, _inactive, _weights, _few))
    return [finding for finding in found if finding is not None]


def latents_not_looked_for(tree: xr.DataTree) -> dict[str, str]:
    """Return the problems that :func:`find_latent_problems` cannot see in a posterior, and why.

    Parameters
    ----------
    tree
        See :func:`find_latent_problems`.
    """
    reasons = {}
    if not active_latents(tree).active:
        single = variable(tree, "sample_stats/log_weight").sizes["chain"] == 1
        lacking = "chain" if single else _unit(tree)
        reasons["inactive latents"] = f"there is a single {lacking} to compare"
    if k_hat(tree).values.isnull().all():
        reasons["unreliable weights"] = "there are too few draws with weights that differ"
    return reasons


def _unit(tree: xr.DataTree) -> str:
    if "unit" not in tree.attrs:
        raise ConfigError(
            "tree: expected a posterior of sequences or images; that of frames is checked by "
            "find_problems"
        )
    return str(tree.attrs["unit"])


def _silent(tree: xr.DataTree, unit: str) -> Finding | None:
    nats = float(variable(tree, "sample_stats/kl").mean())
    if nats >= _SILENT:
        return None
    return Finding(
        "silent latents",
        f"q differs from the prior by {nats:.3f} nats {_of_each(unit)} only (posterior collapse)",
        f"the model explains the data without its latents: compare it with one that has none; try "
        f"{_TRAINING[unit]}",
    )


def _inactive(tree: xr.DataTree, unit: str) -> Finding | None:
    found = active_latents(tree)
    few = []
    for name, active in found.active.items():
        size = found.covariances[name].size
        if active < _FEW * size:
            few.append(f"{active} of the {size} latents {name}")
    if not few:
        return None
    return Finding(
        "inactive latents",
        f"{' and '.join(few)} differ from one {unit} to another",
        "harmless if the likelihood is good: fewer latents then give the same model; otherwise "
        f"try {_TRAINING[unit]}",
    )


def _weights(tree: xr.DataTree, unit: str) -> Finding | None:
    advice = {
        "sequence": "it is a product over many steps that makes weights so unequal, and resampled "
        "particles (test.nll_fivo) make better use of as many draws",
        "image": "training with --objective iwae spreads draws wider still; where "
        "latents are few, experiments.images.evaluate --estimator hmc tells how far off they are",
    }
    return unreliable_weights(
        tree,
        unit,
        "importance-weighted bounds of them are not reliable, whatever the number of draws: "
        f"{advice[unit]}",
    )


def _few(tree: xr.DataTree, unit: str) -> Finding | None:
    sizes = variable(tree, "sample_stats/log_weight").sizes
    draws = sizes["chain"] * sizes["draw"]
    effective = float(effective_draws(tree).median())
    if effective >= _DECIDE * draws:
        return None
    return Finding(
        "few draws decide",
        f"in half of the {unit}s {draws:,} draws are worth {effective:.1f} or fewer",
        "the importance-weighted bound is decided by these few: it rises with more draws, so "
        "compare models at the same number of them",
    )


def _of_each(unit: str) -> str:
    return "a step" if unit == "sequence" else "an image"
