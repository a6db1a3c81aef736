"""What ``posterior.nc`` holds: every variable with its dimensions and its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import xarray as xr
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError

__all__ = ["VARIABLES", "Arrays", "Variable", "variable"]

Arrays = dict[str, NDArray[Any]]
"""group/name -> values, with the dimensions of :data:`VARIABLES`, rows and columns as one axis."""

_DRAWS = ("chain", "draw")
_FRAMES = ("shown_sequence", "shown_step")
_IMAGE = ("row", "column")


class Variable(NamedTuple):
    """Dimensions and meaning of a variable.

    Attributes
    ----------
    dims
        Names of its axes, in order.
    meaning
        One line, which the file holds too.
    """

    dims: tuple[str, ...]
    meaning: str


VARIABLES: Mapping[str, Variable] = MappingProxyType(
    {
        "posterior/theta": Variable(
            (*_DRAWS, *_FRAMES, "component", "state"), "states; numbered anew in each chain"
        ),
        "posterior/assignment": Variable(
            (*_DRAWS, *_FRAMES, *_IMAGE),
            "component of each pixel, drawn from p(z | theta, x); numbered anew in each chain",
        ),
        "posterior/co_assignment": Variable(
            (*_DRAWS, "sequence", "pair"),
            "1 if the two pixels of a pair are in one component in the drawn assignment of the "
            "last step, else 0",
        ),
        "posterior_predictive/x": Variable(
            (*_DRAWS, *_FRAMES, *_IMAGE, "channel"),
            "frames drawn from p(x | theta, z) at the drawn states and assignments",
        ),
        "prior_predictive/x": Variable(
            (*_DRAWS, "step", *_IMAGE, "channel"), "videos drawn from the learned prior"
        ),
        "log_likelihood/frame": Variable(
            (*_DRAWS, "sequence", "step"), "log p(frame | theta), z summed out, nats"
        ),
        "log_likelihood/pixel": Variable(
            (*_DRAWS, *_FRAMES, *_IMAGE), "log p(pixel | theta), z summed out, nats"
        ),
        "sample_stats/log_weight": Variable(
            (*_DRAWS, "sequence"), "log p(x, theta) - log q(theta) of all steps, nats"
        ),
        "sample_stats/elbo": Variable(
            ("chain", "sequence"), "mean of the log-weights of a chain, nats"
        ),
        "sample_stats/iwae": Variable(
            ("chain", "sequence"), "log of the mean weight of a chain, nats"
        ),
        "sample_stats/entropy": Variable(
            (*_DRAWS, "sequence"),
            "entropy of p(z | theta, x), mean over steps and counted pixels, nats",
        ),
        "sample_stats/effective_components": Variable(
            (*_DRAWS, "sequence"),
            "exp of the entropy of the components' shares of the counted pixels, in the drawn "
            "assignment of the last step",
        ),
        "sample_stats/component_share": Variable(
            ("chain", "sequence", "component"),
            "share of the counted pixels, mean over draws and steps",
        ),
        "sample_stats/gamma": Variable(
            ("chain", *_FRAMES, "component", *_IMAGE),
            "p(z | theta, x), mean over draws; numbered anew in each chain",
        ),
        "sample_stats/pair_probability": Variable(
            ("chain", "sequence", "pair"),
            "probability that the two pixels of a pair are in one component at the last step, mean "
            "over draws",
        ),
        "observed_data/x": Variable((*_FRAMES, *_IMAGE, "channel"), "frames that are explained"),
        "constant_data/group": Variable(
            (*_FRAMES, *_IMAGE), "true object of each pixel, 0 where not scored"
        ),
        "constant_data/pair_pixel": Variable(
            ("sequence", "pair", "end"), "the two pixels of each pair, row * columns + column"
        ),
        "constant_data/pair_same": Variable(
            ("sequence", "pair"), "1 if the two belong to one object, 0 if not, -1 if not known"
        ),
    }
)


def variable(tree: xr.DataTree, path: str) -> xr.DataArray:
    """Return a variable of a posterior, by its group and name.

    Raises
    ------
    ConfigError
        If it is not there; the message says whether the posterior is of another kind.
    """
    group, name = path.split("/")
    if group not in tree.children or name not in tree.children[group].data_vars:
        raise ConfigError(
            f"tree: expected a posterior with the variable {path}, {_instead(tree, path)}"
        )
    return tree.children[group].data_vars[name]


def _instead(tree: xr.DataTree, path: str) -> str:
    """Return what a posterior without a variable is, and what to pass instead."""
    latent = "diagnose_sequences or diagnose_images"
    if path not in VARIABLES:
        return f"found none; pass what {latent} returned"
    if "unit" not in tree.attrs:
        return f"found none; pass what inference.diagnose, {latent} returned"
    return (
        f"found one of {tree.attrs['unit']}s; pass what inference.diagnose returned, or give this "
        "one to find_latent_problems, latents_not_looked_for, active_latents, effective_draws, "
        "k_hat or bound_tightness"
    )
