"""From arrays to an ``xarray.DataTree`` in ArviZ's schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from inference.diagnostics.schema import VARIABLES, Arrays, Variable

__all__ = ["build_tree", "join_batches"]

# Along which batches are joined.
_UNITS = ("sequence", "shown_sequence", "image")


def join_batches(
    batches: Sequence[Arrays], draws: int = 1, variables: Mapping[str, Variable] = VARIABLES
) -> Arrays:
    """Return the variables of all batches, those without draws of their own repeated.

    Parameters
    ----------
    batches
        Of :func:`inference.diagnostics.batch_draws` and its like; variables at full resolution may
        be missing from later ones.
    draws
        Draws of each chain.
    variables
        What they are.
    """
    joined: Arrays = {}
    for path in batches[0]:
        dims = variables[path].dims
        (along,) = (dims.index(name) for name in _UNITS if name in dims)
        values = np.concatenate([batch[path] for batch in batches if path in batch], along)
        if "draw" in dims and values.shape[1] == 1:
            values = np.repeat(values, draws, 1)
        joined[path] = values
    return joined


def build_tree(
    arrays: Arrays,
    image: tuple[int, int] | None,
    coordinates: Mapping[str, NDArray[Any]],
    attributes: Mapping[str, Any],
    variables: Mapping[str, Variable] = VARIABLES,
) -> xr.DataTree:
    """Name the axes of arrays and sort them into groups.

    Parameters
    ----------
    arrays
        Some of the variables.
    image
        Rows and columns of a frame, where variables have some.
    coordinates
        Of axes that do not just count from 0.
    attributes
        Of the whole tree.
    variables
        Dimensions and meaning of each, in the order of ArviZ's schema.
    """
    groups: dict[str, dict[str, xr.DataArray]] = {}
    for path, values in arrays.items():
        group, name = path.split("/")
        dims, meaning = variables[path]
        if image is not None and "row" in dims:
            place = dims.index("row")
            values = values.reshape(*values.shape[:place], *image, *values.shape[place + 1 :])
        coords = {
            dim: coordinates.get(dim, np.arange(size))
            for dim, size in zip(dims, values.shape, strict=True)
        }
        groups.setdefault(group, {})[name] = xr.DataArray(
            values, coords, dims, attrs={"description": meaning}
        )
    # In the order of ArviZ's schema, whatever came first.
    order = list(dict.fromkeys(path.split("/")[0] for path in variables))
    nodes = {name: xr.Dataset(groups[name]) for name in order if name in groups}
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=dict(attributes)), **nodes})
