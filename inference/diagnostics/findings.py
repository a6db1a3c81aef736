"""What is suspicious about a posterior, and what to do about it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from inference.diagnostics.k_hat import UNRELIABLE, k_hat
from inference.diagnostics.schema import variable

__all__ = ["PROBLEMS", "Finding", "find_problems", "not_looked_for", "unreliable_weights"]

# A component with less than this part of its equal share is dead.
_DEAD = 0.1

# One with this part of all counted pixels holds everything.
_ALL = 0.9

# Of log K: assignments that are nearly a guess.
_UNDECIDED = 0.8

# Restarts that differ by this much on whether two pixels belong together contradict each other.
_CONTRADICTION = 0.5

# Parts of the sequences, or of the pairs, from which on something is worth a line.
_OFTEN = 0.1


PROBLEMS = {
    "one component": "one component that holds nearly everything",
    "dead components": "components that hold nothing",
    "undecided pixels": "pixels whose assignment is nearly a guess",
    "restarts disagree": "restarts that segment differently",
    "unreliable weights": "importance weights that cannot be relied on",
}
"""Name of a finding -> what is looked for."""


class Finding(NamedTuple):
    """Something that a user should know before trusting a segmentation.

    Attributes
    ----------
    name
        A short name, one of :data:`PROBLEMS`.
    message
        What was found, with its size.
    advice
        What it can come from, and what to try.
    """

    name: str
    message: str
    advice: str


def find_problems(tree: xr.DataTree) -> list[Finding]:
    """Check a posterior for collapse, contradiction and weights that are not reliable.

    The checks look for what is common, with fixed thresholds: none of them proves a problem, and
    an empty list does not prove that there is none. Sequences without a counted pixel are left
    out. Without labels all pixels count, the background too, so that one large component is then
    no surprise.

    Parameters
    ----------
    tree
        What :func:`inference.diagnose` returned.
    """
    found = (check(tree) for check in _CHECKS)
    return [finding for finding in found if finding is not None]


def not_looked_for(tree: xr.DataTree) -> dict[str, str]:
    """Return the problems that :func:`find_problems` cannot see in a posterior, and why.

    Parameters
    ----------
    tree
        What :func:`inference.diagnose` returned.
    """
    share = variable(tree, "sample_stats/component_share")
    reasons: dict[str, str] = {}
    about_components = ("one component", "dead components", "undecided pixels")
    if share.sizes["component"] == 1:
        reasons.update(dict.fromkeys(about_components, "there is a single component"))
    elif share.isnull().all():
        reasons.update(dict.fromkeys(about_components, "no pixel's true object is known"))
    if share.sizes["chain"] == 1:
        reasons["restarts disagree"] = "there is a single restart"
    elif tree.attrs["labels"] and (variable(tree, "constant_data/pair_same") < 0).all():
        reasons["restarts disagree"] = "no pixel's true object is known"
    if k_hat(tree).values.isnull().all():
        stochastic = tree.attrs["stochastic"]
        few = "there are too few draws with weights that differ"
        reasons["unreliable weights"] = few if stochastic else "point masses have no weights"
    return reasons


def unreliable_weights(tree: xr.DataTree, unit: str, advice: str) -> Finding | None:
    """Return that many weights have a large k-hat, if they have.

    Parameters
    ----------
    tree
        The posterior.
    unit
        What has weights of its own, as a word.
    advice
        What to try.
    """
    found = k_hat(tree)
    number = found.values.size
    if found.above < _OFTEN * number or not found.above:
        return None
    message = f"k-hat is above {UNRELIABLE} for {found.above} of {number} {unit}s"
    return Finding("unreliable weights", message, advice)


def _collapse(tree: xr.DataTree) -> Finding | None:
    share = _known(variable(tree, "sample_stats/component_share"))  # [chain, N, K]
    if share.shape[-1] == 1 or not share.size:
        return None
    part = float((share.max(-1) > _ALL).mean())
    if part < _OFTEN:
        return None
    return Finding(
        "one component",
        f"one component holds over {_ALL:.0%} of the counted pixels in {part:.0%} of the sequences",
        "the training collapsed, or has just begun: train longer, with a lower learning rate, a "
        "larger inter_weight or another seed; with a single object it is right",
    )


def _dead(tree: xr.DataTree) -> Finding | None:
    share = _known(variable(tree, "sample_stats/component_share"))  # [chain, N, K]
    components = share.shape[-1]
    if components == 1 or not share.size:
        return None
    dead = float((share < _DEAD / components).sum(-1).mean())
    if dead < 0.5:
        return None
    return Finding(
        "dead components",
        f"{dead:.1f} of {components} components are not in use, on average",
        "right if there are fewer objects than components, as spare ones have nothing to explain; "
        "otherwise objects share a component: train longer, or with another seed",
    )


def _undecided(tree: xr.DataTree) -> Finding | None:
    entropy = _known(variable(tree, "sample_stats/entropy").mean("draw"))  # [chain, N]
    components = variable(tree, "sample_stats/component_share").sizes["component"]
    if components == 1 or not entropy.size:
        return None
    level = float(entropy.mean()) / math.log(components)
    if level < _UNDECIDED:
        return None
    return Finding(
        "undecided pixels",
        f"the assignment of a counted pixel has {level:.0%} of the entropy of a guess",
        "the components are alike: the training has just begun, or every component explains "
        "everything; look at the loss, and at the figures",
    )


def _contradiction(tree: xr.DataTree) -> Finding | None:
    together = variable(tree, "sample_stats/pair_probability")  # (chain, sequence, pair)
    spread = together.max("chain") - together.min("chain")
    if tree.attrs["labels"]:
        # Pixels that are not scored, as of the background, may belong to any component.
        spread = spread.where(variable(tree, "constant_data/pair_same") >= 0)
    if not spread.count():
        return None
    part = float((spread > _CONTRADICTION).sum() / spread.count())
    if part < _OFTEN:
        return None
    return Finding(
        "restarts disagree",
        f"{part:.0%} of the pairs of pixels belong together in one restart and apart in another",
        "the segmentation depends on the first responsibilities: look at aligned_gamma; more "
        "training, more steps or another number of components may help",
    )


def _weights(tree: xr.DataTree) -> Finding | None:
    return unreliable_weights(
        tree,
        "sequence",
        "importance-weighted bounds and PSIS-LOO of them are not reliable: the guide is too narrow "
        "or misses states; train it longer, or with several particles (--objective iwae)",
    )


def _known(values: xr.DataArray) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return values (chain, sequence, ...) of the sequences that have any."""
    numbers = values.transpose("chain", "sequence", ...).values.astype(np.float64)
    beyond = tuple(axis for axis in range(numbers.ndim) if axis != 1)
    return numbers[:, ~np.isnan(numbers).any(beyond)]


_CHECKS = (_collapse, _dead, _undecided, _contradiction, _weights)
