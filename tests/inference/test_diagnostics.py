"""Restarts, alignment, calibration and findings, on posteriors made by hand."""

import itertools
import math

import numpy as np
import pytest
import xarray as xr
from posterior_trees import CHAINS, COMPONENTS, DRAWS, PAIRS, SEQUENCES, by_chain, make, some

from inference.diagnostics import (
    aligned_gamma,
    bound_tightness,
    co_assignment_calibration,
    find_problems,
    k_hat,
    largest_by_chance,
    loo_k_hat,
    not_looked_for,
    restart_agreement,
)
from pyro_nem.errors import ConfigError


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
