"""Problems that are found in posteriors made by hand."""

import math

import numpy as np
import pytest
import xarray as xr
from posterior_trees import CHAINS, DRAWS, SEQUENCES, by_chain, make, some

from inference.diagnostics import (
    find_problems,
    not_looked_for,
)


def test_nothing_is_found_where_nothing_is_wrong():
    assert find_problems(make()) == []
    assert find_problems(make(stochastic=0)) == []
    assert not_looked_for(make()) == {}


def test_what_cannot_be_seen_has_a_reason():
    points = make(stochastic=0, sample_stats__log_weight=0.0)
    assert not_looked_for(points) == {"unreliable weights": "point masses have no weights"}
    assert not_looked_for(some(chain=[0])) == {"restarts disagree": "there is a single restart"}
    few = not_looked_for(some(draw=range(8)))
    assert few == {"unreliable weights": "there are too few draws with weights that differ"}


def test_restarts_may_differ_where_nothing_is_scored():
    differ = by_chain([0.0, 1.0, 1.0])
    mixed = np.array([[1, -1, -1, -1], [-1, -1, -1, -1]])
    apart = differ * np.array([0.0, 1.0, 1.0, 1.0])
    tree = make(sample_stats__pair_probability=apart, constant_data__pair_same=mixed)
    assert find_problems(tree) == []
    # Without labels all pixels count.
    names = [
        one.name for one in find_problems(make(labels=0, sample_stats__pair_probability=apart))
    ]
    assert names == ["restarts disagree"]


@pytest.mark.parametrize(
    ("name", "message", "changes"),
    [
        (
            "one component",
            "over 90% of the counted pixels in 100%",
            {"sample_stats__component_share": [0.92, 0.04, 0.04]},
        ),
        (
            "dead components",
            "1.0 of 3 components",
            {"sample_stats__component_share": [0.6, 0.39, 0.01]},
        ),
        ("undecided pixels", "91% of the entropy", {"sample_stats__entropy": 1.0}),
        (
            "restarts disagree",
            "100% of the pairs",
            {"sample_stats__pair_probability": by_chain([0.1, 0.2, 0.8])},
        ),
        (
            "unreliable weights",
            "for 2 of 2 sequences",
            {
                "sample_stats__log_weight": np.random.default_rng(0).exponential(
                    1.5, (CHAINS, DRAWS, SEQUENCES)
                )
            },
        ),
    ],
)
def test_each_problem_is_found_alone(name, message, changes):
    (found,) = find_problems(make(**changes))
    assert found.name == name
    assert message in found.message
    assert found.advice


def test_a_single_component_has_nothing_to_collapse():
    tree = make(sample_stats__component_share=[1.0, 0.0, 0.0], sample_stats__entropy=0.0)
    names = {found.name for found in find_problems(tree)}
    assert names == {"one component", "dead components"}
    stats = tree["sample_stats"].to_dataset().isel(component=[0])
    known = tree["constant_data"].to_dataset()
    tree = xr.DataTree.from_dict(
        {"/": xr.Dataset(attrs=tree.attrs), "sample_stats": stats, "constant_data": known}
    )
    assert find_problems(tree) == []
    assert {not_looked_for(tree)[name] for name in ("one component", "undecided pixels")} == {
        "there is a single component"
    }


def test_sequences_without_a_scored_pixel_find_nothing():
    tree = make(
        sample_stats__component_share=math.nan,
        sample_stats__entropy=math.nan,
        sample_stats__pair_probability=by_chain([0.0, 1.0, 1.0]),
        constant_data__pair_same=-1,
    )
    assert find_problems(tree) == []
    assert set(not_looked_for(tree)) >= {"one component", "restarts disagree"}
    half = np.array([[[0.92, 0.04, 0.04], [math.nan] * 3]])
    (found,) = find_problems(make(sample_stats__component_share=half))
    assert "in 100% of the sequences" in found.message
