"""Restarts, alignment, calibration and findings, on posteriors made by hand."""

import itertools
import math

import numpy as np
import pytest
import xarray as xr
from posterior_trees import CHAINS, COMPONENTS, DRAWS, PAIRS, SEQUENCES, by_chain, make

from inference.diagnostics import (
    aligned_gamma,
    bound_tightness,
    calibration,
    co_assignment_calibration,
    find_problems,
    k_hat,
    largest_by_chance,
    loo_k_hat,
    not_looked_for,
    restart_agreement,
)
from pyro_nem.errors import ConfigError


def some(**chosen):
    """Return a part of a posterior in which nothing is suspicious."""
    tree = make()
    nodes = {
        name: node.to_dataset().isel(chosen, missing_dims="ignore")
        for name, node in tree.children.items()
    }
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=tree.attrs), **nodes})


# Restarts


def test_restarts_that_agree_cannot_be_told_apart():
    found = restart_agreement(make())
    assert found.rhat.log_likelihood.dims == ("sequence",)
    assert found.rhat.co_assignment.dims == ("sequence", "pair")
    for name in ("log_likelihood", "effective_components", "co_assignment"):
        assert (found.rhat[name] < 1.15).all()
        assert (found.ess[name] > DRAWS).all()
        assert (found.spread[name] < 0.4).all()


def test_restarts_that_disagree_are_noticed():
    generator = np.random.default_rng(1)
    noise = generator.normal(size=(CHAINS, DRAWS, SEQUENCES))
    number = noise + by_chain([0.0, 0.0, 5.0])
    often = np.array([0.1, 0.5, 0.9])[:, None, None, None]
    together = generator.uniform(size=(CHAINS, DRAWS, SEQUENCES, PAIRS)) < often
    found = restart_agreement(
        make(
            sample_stats__effective_components=number,
            posterior__co_assignment=together,
            log_likelihood__frame=noise[..., None] + by_chain([0.0, 3.0, 0.0])[..., None],
        )
    )
    for name in ("log_likelihood", "effective_components", "co_assignment"):
        assert (found.rhat[name] > 1.15).all()
        assert (found.ess[name] < DRAWS).all()
    np.testing.assert_allclose(found.spread.effective_components, 5.0, atol=0.6)
    np.testing.assert_allclose(found.spread.log_likelihood, 6.0, atol=1.0)  # over both steps


def test_draws_without_spread_have_no_rhat():
    found = restart_agreement(
        make(
            sample_stats__effective_components=2.0,
            log_likelihood__frame=by_chain([1.0, 1.0, 4.0])[..., None],
        )
    )
    assert np.isnan(found.rhat.effective_components).all()
    assert (found.spread.effective_components == 0.0).all()
    assert np.isinf(found.rhat.log_likelihood).all()
    assert np.isnan(found.ess.log_likelihood).all()
    assert (found.spread.log_likelihood == 6.0).all()


def test_a_sequence_without_a_scored_pixel_has_no_agreement():
    number = np.random.default_rng(0).uniform(size=(CHAINS, DRAWS, SEQUENCES))
    number[..., 1] = math.nan
    found = restart_agreement(make(sample_stats__effective_components=number))
    assert np.isnan(found.rhat.effective_components).values.tolist() == [False, True]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"chain": [0]}, "expected several restarts to compare, got 1"),
        ({"draw": [0, 1, 2]}, "expected at least 4 draws of each restart, got 3"),
    ],
)
def test_too_little_to_compare(chosen, message):
    with pytest.raises(ConfigError, match=message):
        restart_agreement(some(**chosen))


@pytest.mark.parametrize(
    "function",
    [
        aligned_gamma,
        bound_tightness,
        co_assignment_calibration,
        find_problems,
        k_hat,
        loo_k_hat,
        not_looked_for,
        restart_agreement,
    ],
)
def test_another_tree_is_refused(function):
    with pytest.raises(ConfigError, match=r"expected a posterior with the variable \w+/"):
        function(xr.DataTree())


def test_restarts_that_agree_rarely_exceed_the_limit():
    number = np.random.default_rng(0).normal(size=(CHAINS, DRAWS, 2000))
    sizes = {"sequences": 2000}
    agreeing = make(**sizes, sample_stats__effective_components=number)
    rhat = restart_agreement(agreeing).rhat.effective_components.values
    assert (rhat > largest_by_chance(DRAWS)).mean() <= 0.002
    # Nor is it so large that it says nothing.
    differing = make(**sizes, sample_stats__effective_components=number + by_chain([0, 0, 2]))
    rhat = restart_agreement(differing).rhat.effective_components.values
    assert (rhat > largest_by_chance(DRAWS)).mean() > 0.99


def test_the_error_of_the_gap_takes_two_restarts():
    tree = make()
    stats = tree["sample_stats"].to_dataset()[["elbo", "iwae"]].isel(chain=[0])
    assert np.isnan(bound_tightness(xr.DataTree.from_dict({"sample_stats": stats})).gap_error).all()
    assert np.isfinite(bound_tightness(tree).gap_error).all()


# Alignment


def test_components_get_the_numbering_of_the_first_chain():
    generator = np.random.default_rng(2)
    gamma = generator.dirichlet([0.2] * COMPONENTS, size=(SEQUENCES, 2, 6))
    gamma = np.moveaxis(gamma, -1, 2)  # [sequence, step, component, pixel]
    orders = np.array(list(itertools.permutations(range(COMPONENTS))))[[0, 3, 4]]
    mixed = np.stack([gamma[:, :, order] for order in orders])
    # Each sequence has a numbering of its own.
    mixed[1, 1] = gamma[1][:, [2, 1, 0]]
    noise = generator.uniform(0.0, 0.01, mixed.shape)
    tree = make(sample_stats__gamma=mixed + noise)
    found = aligned_gamma(tree)
    assert found.dims == tree["sample_stats/gamma"].dims
    expected = np.broadcast_to(gamma, mixed.shape).reshape(found.shape)
    np.testing.assert_allclose(found, expected, atol=0.011)


# Calibration


def test_calibration_by_hand():
    found = calibration(np.array([0.1, 0.2, 0.9, 1.0]), np.array([False, True, True, True]), bins=4)
    np.testing.assert_allclose(found.probability, [0.15, np.nan, np.nan, 0.95])
    np.testing.assert_allclose(found.frequency, [0.5, np.nan, np.nan, 1.0])
    assert found.events.tolist() == [2, 0, 0, 2]
    np.testing.assert_allclose(found.brier, (0.01 + 0.64 + 0.01) / 4)
    np.testing.assert_allclose(found.ece, (0.35 + 0.05) / 2)
    np.testing.assert_allclose(found.error[[0, 3]] ** 2, [0.25 / 4, 0.09 / 4])


def test_pairs_of_unknown_truth_are_left_out():
    same = np.array([[1, 0, 1, 0], [-1, -1, -1, -1]])
    chance = np.array([[0.9, 0.2, 0.7, 0.0], [0.5, 0.5, 0.5, 0.5]])
    tree = make(constant_data__pair_same=same, sample_stats__pair_probability=chance)
    found = co_assignment_calibration(tree)
    assert found.events.sum() == 4
    np.testing.assert_allclose(found.brier, (0.01 + 0.04 + 0.09) / 4)


def test_the_mean_over_restarts_is_calibrated():
    chance = np.array([0.0, 0.0, 0.9])[:, None, None]
    tree = make(sample_stats__pair_probability=chance)
    np.testing.assert_allclose(np.nanmax(co_assignment_calibration(tree).probability), 0.3)


def test_masks_without_objects_give_nan():
    found = co_assignment_calibration(make(constant_data__pair_same=-1))
    assert math.isnan(found.brier)
    assert math.isnan(found.ece)
    assert found.events.sum() == 0
    assert np.isnan(found.frequency).all()


def test_data_without_labels_have_no_truth():
    with pytest.raises(ConfigError, match="tree: the data have no labels"):
        co_assignment_calibration(make(labels=0))


@pytest.mark.parametrize(
    ("chance", "happened", "message"),
    [
        ([0.5, 1.5], [True, False], r"expected numbers in \[0, 1\]"),
        ([0.5, math.nan], [True, False], r"expected numbers in \[0, 1\]"),
        ([0.5], [True, False], r"two arrays \[N\], got \[1\] and \[2\]"),
    ],
)
def test_bad_probabilities(chance, happened, message):
    with pytest.raises(ConfigError, match=message):
        calibration(np.array(chance), np.array(happened))


# Findings


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
