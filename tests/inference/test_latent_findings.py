"""What is said of posteriors of sequences and images that were made by hand."""

import math

import numpy as np
import pytest
from latent_trees import CHAINS, DRAWS, LATENTS, STEPS, UNITS, make
from posterior_trees import make as frames

from inference.diagnostics import (
    LATENT_PROBLEMS,
    active_latents,
    aligned_gamma,
    co_assignment_calibration,
    effective_draws,
    find_latent_problems,
    find_problems,
    latents_not_looked_for,
    loo_k_hat,
    not_looked_for,
    restart_agreement,
)
from pyro_nem.errors import ConfigError

ALL = {"silent latents", "inactive latents", "unreliable weights", "few draws decide"}


def generator():
    return np.random.default_rng(1)


def heavy():
    return 5 * generator().exponential(size=(CHAINS, DRAWS, UNITS))


def names(tree):
    return [finding.name for finding in find_latent_problems(tree)]


@pytest.mark.parametrize("unit", ["sequence", "image"])
def test_a_good_posterior_has_no_problem_and_a_bad_one_all(unit):
    assert names(make(unit)) == []
    changes = (
        {"location_z": 0.0}
        if unit == "sequence"
        else dict.fromkeys(("location_z_1", "location_z_2"), 0.0)
    )
    bad = make(unit, kl=0.01, log_weight=heavy(), **changes)
    found = find_latent_problems(bad)
    assert {one.name for one in found} == set(LATENT_PROBLEMS) == ALL
    assert latents_not_looked_for(bad) == {}
    text = " ".join(one.message + one.advice for one in found)
    assert ("fivo" in text) == (unit == "sequence")
    assert f"0.010 nats {'a step' if unit == 'sequence' else 'an image'} only" in text
    # The run may have it on.
    assert text.count("--smoothing on") == text.count("--smoothing on where it is off")
    assert "of 6 " + unit + "s" in text
    if unit == "image":
        assert "0 of the 4 latents z_1 and 0 of the 2 latents z_2" in text


def test_some_idle_latents_are_worth_a_line_where_most_are():
    means = generator().normal(size=(UNITS, STEPS, LATENTS))
    means[..., 2:] = 1.0
    assert names(make(location_z=means)) == []
    means[..., 1:] = 1.0
    assert names(make(location_z=means)) == ["inactive latents"]
    assert find_latent_problems(make(location_z=means))[0].message.startswith("1 of the 4 latents")


def test_the_covariance_is_that_between_chains():
    means = generator().normal(size=(CHAINS, UNITS, STEPS, LATENTS))
    means[:, 4:, 3:] = math.nan  # two sequences have ended
    means[:, 1:, 4] = math.nan  # one has a step that no other has
    found = active_latents(make(location_z=means)).covariances["z"]
    total, freedom = 0.0, 0
    for step in range(STEPS):
        known = means[:, ~np.isnan(means[0, :, step, 0]), step]  # [chain, N, H]
        if known.shape[1] < 2:
            continue
        pairs = [(a, b) for a in range(CHAINS) for b in range(CHAINS) if a != b]
        each = [
            [np.cov(known[a, :, h], known[b, :, h])[0, 1] for h in range(LATENTS)] for a, b in pairs
        ]
        total = total + np.mean(each, 0) * (known.shape[1] - 1)
        freedom += known.shape[1] - 1
    np.testing.assert_allclose(found, total / freedom)
    assert freedom == 3 * 5 + 3


def test_draws_are_counted_by_their_weights():
    equal = effective_draws(make(log_weight=-1e5))
    np.testing.assert_allclose(equal, CHAINS * DRAWS)
    one = np.full((CHAINS, DRAWS, UNITS), -1e4)
    one[1, 3] = 1e4
    np.testing.assert_allclose(effective_draws(make(log_weight=one)), 1.0)
    one[0, 2] = 1e4 - math.log(2.0)
    np.testing.assert_allclose(effective_draws(make(log_weight=one)), 1.5**2 / 1.25)


def test_point_masses_are_no_draws():
    assert effective_draws(frames(stochastic=1)).notnull().all()
    assert effective_draws(frames(stochastic=0)).isnull().all()


def test_frames_have_no_latents_to_count():
    with pytest.raises(ConfigError, match=r"variable sample_stats/lo.*what diagnose_sequences or"):
        active_latents(frames())


@pytest.mark.parametrize("unit", ["sequence", "image"])
@pytest.mark.parametrize(
    "function",
    [
        aligned_gamma,
        co_assignment_calibration,
        find_problems,
        loo_k_hat,
        not_looked_for,
        restart_agreement,
    ],
)
def test_what_describes_frames_names_what_describes_latents(function, unit):
    found = f"found one of {unit}s; .* inference.diagnose .* this one to find_latent_problems, "
    with pytest.raises(ConfigError, match=found):
        function(make(unit).isel(chain=[0]))


def test_a_posterior_of_frames_is_sent_to_its_own_checks():
    tree = make()
    del tree.attrs["unit"]
    with pytest.raises(ConfigError, match="that of frames is checked by find_problems"):
        find_latent_problems(tree)
