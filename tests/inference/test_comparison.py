"""Ranks of models by held-out log-likelihood, against ArviZ and against sums written out."""

import math
import warnings

import numpy as np
import pytest
import xarray as xr
from arviz_stats import compare
from arviz_stats.utils import ELPDData
from scipy import stats

from inference.diagnostics import rank_by_likelihood
from pyro_nem.errors import ConfigError

SEQUENCES = 400


def made(*offsets, seed=0, noise=5.0):
    """Return a model's scores: what is hard for all, an offset a seed, noise of its own."""
    hard = np.random.default_rng(9).normal(-3000.0, 60.0, SEQUENCES)
    own = np.random.default_rng(seed).normal(0.0, noise, (len(offsets), SEQUENCES))
    return hard + own + np.array(offsets)[:, None]


def elpd(values):
    error = math.sqrt(len(values) * values.var())
    points = xr.DataArray(values, dims="sequence")
    size = len(values)
    return ELPDData("loo", values.sum(), error, 0.0, 1, size, "log", False, 0.7, elpd_i=points)


def test_single_seeds_are_ranked_as_by_arviz():
    scores = {"b": made(-7.0, seed=1), "a": made(0.0, seed=2), "c": made(-0.4, seed=4)}
    with warnings.catch_warnings():
        # ArviZ calls what the newest pandas will drop.
        warnings.simplefilter("ignore")
        expected = compare(
            {name: elpd(values[0]) for name, values in scores.items()}, method="pseudo-bma"
        )
    found = rank_by_likelihood(scores)
    assert [standing.name for standing in found] == list(expected.index) == ["a", "c", "b"]
    # ArviZ has sums over sequences, and divides by their number where we do by one less.
    bias = math.sqrt(SEQUENCES / (SEQUENCES - 1))
    for own, (_, row) in zip(found, expected.iterrows(), strict=True):
        assert own.mean == pytest.approx(row["elpd"] / SEQUENCES)
        assert own.error == pytest.approx(row["se"] / SEQUENCES * bias)
        assert own.difference == pytest.approx(-abs(row["elpd_diff"]) / SEQUENCES)
        assert own.difference_error == pytest.approx(row["dse"] / SEQUENCES * bias)
        assert own.factor == 2.0
    assert [standing.verdict for standing in found] == ["best", "noise", "worse, seeds unknown"]


def test_the_difference_is_taken_sequence_by_sequence():
    worse = rank_by_likelihood({"a": made(0.0, 0.0), "b": made(-3.0, -3.0, seed=1)})[1]
    assert worse.verdict == "worse"
    # What is hard for both models is 60 nats, and drops out.
    assert worse.error > 2.5
    assert worse.difference_error < 0.5


def test_errors_over_sequences_and_seeds_add_up():
    scores = {"a": made(0.0, 4.0, 9.0), "b": made(-1.0, -6.0, seed=1)}
    own = rank_by_likelihood(scores)[1]
    a, b = scores["a"], scores["b"]
    paired = (b.mean(0) - a.mean(0)).var(ddof=1) / SEQUENCES
    seeds_a, seeds_b = a.mean(1).var(ddof=1) / 3, b.mean(1).var(ddof=1) / 2
    total = paired + seeds_a + seeds_b
    freedom = total**2 / (paired**2 / (SEQUENCES - 1) + seeds_a**2 / 2 + seeds_b**2 / 1)
    assert own.difference == pytest.approx((b - a.mean(0)).mean())
    assert own.difference_error == pytest.approx(math.sqrt(total))
    assert own.factor == pytest.approx(stats.t.ppf(0.975, freedom))
    assert own.spread == pytest.approx(abs(b[0].mean() - b[1].mean()) / math.sqrt(2))
    assert (own.seeds, own.verdict) == (2, "noise")


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        ((-4.0, -5.0, -6.0), "worse"),  # far outside of what seeds do
        ((-20.0, 5.0, 7.0), "noise"),  # a clear difference of these weights, but not of the seeds
        ((-0.1, 0.0, 0.1), "noise"),
    ],
)
def test_what_seeds_do_is_no_difference(other, verdict):
    found = rank_by_likelihood({"a": made(0.0, 0.5, 1.0), "b": made(*other, seed=1)})
    assert [standing.verdict for standing in found] == ["best", verdict]


def test_equal_models_do_not_differ():
    found = rank_by_likelihood({"a": made(0.0), "b": made(0.0)})
    assert (found[1].difference, found[1].verdict) == (0.0, "noise")
    assert found[1].spread is None


def test_two_good_models_in_a_hundred_differ_by_chance():
    """Under no difference, two seeds each: 2 s.e. alone would call a tenth of them different."""
    random = np.random.default_rng(0)
    wrong = 0
    for trial in range(400):
        first, second = random.normal(0.0, 3.0, (2, 2))
        scores = {"a": made(*first, seed=trial), "b": made(*second, seed=1000 + trial)}
        wrong += rank_by_likelihood(scores)[1].verdict == "worse"
    assert wrong <= 0.06 * 400


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({"a": made(0.0)}, "at least two models to compare, got 1"),
        ({"a": made(0.0), "b": made(0.0)[:, :-1]}, r"\[1, 400\] for a and \[1, 399\] for b"),
        ({"a": made(0.0), "b": made(0.0)[0]}, r"\[400\] for b"),
        ({"a": made(0.0), "b": made(math.nan)}, "those of b are not all finite"),
        ({"a": made(0.0)[:, :1], "b": made(1.0)[:, :1]}, "at least two sequences, got 1"),
    ],
)
def test_bad_scores_are_refused(scores, message):
    with pytest.raises(ConfigError, match=message):
        rank_by_likelihood(scores)
