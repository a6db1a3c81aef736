"""Posteriors made by hand, in the schema of diagnose."""

import numpy as np
import xarray as xr

from inference.diagnostics.schema import VARIABLES
from inference.diagnostics.tree import build_tree

CHAINS, DRAWS, SEQUENCES, STEPS, PAIRS, COMPONENTS = 3, 40, 2, 2, 4, 3


def make(*, stochastic=1, labels=1, sequences=SEQUENCES, **changes):
    """Return a posterior in which nothing is suspicious, with some variables replaced.

    ``changes`` are named ``group__name``; a number or smaller array is repeated.
    """
    generator = np.random.default_rng(0)
    sizes = {
        "chain": CHAINS, "draw": DRAWS, "sequence": sequences, "step": STEPS,
        "shown_sequence": SEQUENCES, "shown_step": STEPS, "row": 6, "component": COMPONENTS,
        "state": 2, "pair": PAIRS, "end": 2, "channel": 1,
    }  # fmt: skip
    arrays = {}
    for path, (dims, _) in VARIABLES.items():
        # Rows and columns are one axis here.
        shape = tuple(sizes[dim] for dim in dims if dim != "column")
        value = changes.pop(path.replace("/", "__"), None)
        if value is None:
            value = generator.uniform(size=shape)
            if path == "sample_stats/component_share":
                value = 1 / COMPONENTS
            elif path == "sample_stats/entropy":
                value = 0.1
            elif path == "sample_stats/pair_probability":
                value = 0.9
            elif path in ("posterior/co_assignment", "constant_data/pair_same"):
                value = generator.integers(0, 2, shape)
        arrays[path] = np.broadcast_to(value, shape).copy()
    assert not changes, changes
    attributes = {"stochastic": stochastic, "labels": labels}
    return build_tree(arrays, (2, 3), {}, attributes)


def by_chain(values):
    """Return one number for each chain, for a variable (chain, draw, sequence, ..)."""
    return np.reshape(np.array(values, float), (CHAINS, 1, 1))


def some(**chosen):
    """Return a part of a posterior in which nothing is suspicious."""
    tree = make()
    nodes = {
        name: node.to_dataset().isel(chosen, missing_dims="ignore")
        for name, node in tree.children.items()
    }
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=tree.attrs), **nodes})
