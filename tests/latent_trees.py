"""Posteriors of sequences and images made by hand."""

import numpy as np

from inference.diagnostics.tree import build_tree
from inference.images.diagnosis_schema import image_variables
from inference.sequences.diagnosis_schema import SEQUENCE_VARIABLES

CHAINS, DRAWS, UNITS, STEPS, LATENTS = 3, 40, 6, 5, 4
VARIABLES = {"sequence": SEQUENCE_VARIABLES, "image": image_variables(2)}


def make(unit="sequence", **changes):
    """Return a posterior in which nothing is suspicious, with some variables replaced.

    ``changes`` are names of ``sample_stats``; a number or smaller array is repeated.
    """
    generator = np.random.default_rng(0)
    sizes = {
        "chain": CHAINS, "draw": DRAWS, "sequence": UNITS, "image": UNITS, "step": STEPS,
        "latent": LATENTS, "latent_1": LATENTS, "latent_2": 2, "shown_sequence": 2,
        "shown_step": STEPS, "feature": 2, "row": 2, "column": 2,
    }  # fmt: skip
    arrays = {}
    for path, (dims, _) in VARIABLES[unit].items():
        shape = tuple(sizes[dim] for dim in dims)
        group, name = path.split("/")
        value = changes.pop(name, None) if group == "sample_stats" else None
        if value is None and name.startswith("location"):
            value = generator.normal(size=shape[1:])  # chains agree
        elif value is None:
            value = generator.uniform(size=shape)
        arrays[path] = np.broadcast_to(value, shape).astype(float)
    assert not changes, changes
    attributes = {"unit": unit, "stochastic": 1}
    return build_tree(arrays, None, {}, attributes, VARIABLES[unit])
