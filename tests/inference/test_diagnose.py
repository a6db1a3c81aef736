"""What diagnose returns: groups, names, and numbers that agree with each other."""

import numpy as np
import pytest
import small_run
import torch
from small_diagnosis import SIZE, frames, vrnn

from inference.diagnostics import diagnose

GROUPS = {"posterior", "posterior_predictive", "log_likelihood", "sample_stats"}
GROUPS |= {"observed_data", "constant_data"}


@pytest.fixture(scope="module")
def points():
    return diagnose(*small_run.build(), frames(), **SIZE, rows_at_once=6)


@pytest.fixture(scope="module")
def drawn():
    return diagnose(*vrnn(), frames(), **SIZE)


@pytest.fixture(params=["points", "drawn"])
def tree(request):
    return request.getfixturevalue(request.param)


def test_axes_and_groups_are_named(tree):
    assert set(tree.children) - {"prior_predictive"} == GROUPS
    assert dict(tree["posterior/assignment"].sizes) == {
        "chain": 3, "draw": 40, "shown_sequence": 3, "shown_step": 2, "row": 8, "column": 8,
    }  # fmt: skip
    assert dict(tree["posterior/theta"].sizes) == {
        "chain": 3, "draw": 40, "shown_sequence": 3, "shown_step": 2, "component": 2, "state": 6,
    }  # fmt: skip
    assert tree["posterior_predictive/x"].dims[2:] == tree["observed_data/x"].dims
    assert dict(tree["log_likelihood/frame"].sizes) == {
        "chain": 3, "draw": 40, "sequence": 5, "step": 4,
    }  # fmt: skip
    assert dict(tree["log_likelihood/pixel"].sizes) == dict(tree["posterior/assignment"].sizes)
    assert tree["log_likelihood/frame"].step.values.tolist() == [1, 2, 3, 4]
    assert tree["posterior/theta"].shown_step.values.tolist() == [1, 4]
    assert tree["constant_data/pair_pixel"].shape == (5, 6, 2)
    for node in tree.leaves:
        assert all(values.attrs["description"] for values in node.data_vars.values())


def test_pixels_sum_to_frames(tree):
    shown = {"sequence": [0, 1, 2], "step": [1, 4]}
    whole = tree["log_likelihood/frame"].sel(shown).values
    parts = tree["log_likelihood/pixel"].sum(["row", "column"]).values
    np.testing.assert_allclose(parts, whole, rtol=1e-5)


def test_the_frames_are_those_of_the_source(tree):
    features, groups = frames().read(0, 3)
    # The state of step t explains frame t, counted from 0.
    np.testing.assert_array_equal(tree["observed_data/x"].values, features[[1, 4]].swapaxes(0, 1))
    np.testing.assert_array_equal(
        tree["constant_data/group"].values, groups[[1, 4], ..., 0].swapaxes(0, 1)
    )


def test_assignments_follow_the_responsibilities(tree):
    gamma, z = tree["sample_stats/gamma"], tree["posterior/assignment"]
    np.testing.assert_allclose(gamma.sum("component"), 1.0, rtol=1e-5)
    often = (z == 1).mean("draw").values
    expected = gamma.sel(component=1).values
    error = np.sqrt(expected * (1 - expected) / 40) + 1e-9
    assert np.mean(abs(often - expected) < 2 * error) > 0.9
    assert abs(often - expected).max() < 0.5
    assert set(np.unique(z)) == {0, 1}


def test_pairs_follow_the_responsibilities(tree):
    gamma = tree["sample_stats/gamma"].sel(shown_step=4)
    pixels = tree["constant_data/pair_pixel"].values
    flat = gamma.values.reshape(3, 3, 2, 64)  # [chain, sequence, K, D]
    z = tree["posterior/assignment"].sel(shown_step=4).values.reshape(3, 40, 3, 64)
    for sequence in range(3):
        i, j = pixels[sequence].T
        assert (i != j).all()
        together = tree["posterior/co_assignment"].values[:, :, sequence]
        np.testing.assert_array_equal(together, z[:, :, sequence, i] == z[:, :, sequence, j])
        if not tree.attrs["stochastic"]:
            found = tree["sample_stats/pair_probability"].values[:, sequence]
            by_hand = (flat[:, sequence][..., i] * flat[:, sequence][..., j]).sum(1)
            np.testing.assert_allclose(found, by_hand, rtol=1e-5)
    np.testing.assert_allclose(
        tree["posterior/co_assignment"].mean("draw"),
        tree["sample_stats/pair_probability"],
        atol=0.35,
    )


def test_pairs_are_of_scored_pixels_where_there_are_any(tree):
    _, groups = frames().read(0, 5)
    last = groups[4].reshape(5, 64)
    same = tree["constant_data/pair_same"].values
    for sequence, (one, other) in enumerate(
        tree["constant_data/pair_pixel"].values.transpose(0, 2, 1)
    ):
        labels = last[sequence]
        if sequence == 1:
            assert (same[sequence] == -1).all()
        else:
            assert (labels[one] > 0).all()
            np.testing.assert_array_equal(same[sequence], labels[one] == labels[other])


def test_a_sequence_without_a_scored_pixel_has_no_shares(tree):
    for name in ("entropy", "component_share", "effective_components"):
        values = tree[f"sample_stats/{name}"]
        assert np.isnan(values.sel(sequence=1)).all()
        assert np.isfinite(values.drop_sel(sequence=1)).all()
    share = tree["sample_stats/component_share"].drop_sel(sequence=1)
    np.testing.assert_allclose(share.sum("component"), 1.0, rtol=1e-5)
    number = tree["sample_stats/effective_components"].drop_sel(sequence=1)
    assert ((number >= 1.0) & (number <= 2.0001)).all()
    entropy = tree["sample_stats/entropy"].drop_sel(sequence=1)
    assert ((entropy >= 0.0) & (entropy <= np.log(2) + 1e-5)).all()


def test_point_masses_have_one_state_for_each_restart(points):
    assert points.attrs["stochastic"] == 0
    theta = points["posterior/theta"]
    assert (theta == theta.isel(draw=0)).all()
    assert not (theta.isel(chain=0) == theta.isel(chain=1)).all()
    weight = points["sample_stats/log_weight"]
    np.testing.assert_allclose(weight, points["log_likelihood/frame"].sum("step"), rtol=1e-5)
    np.testing.assert_allclose(points["sample_stats/elbo"], weight.mean("draw"))
    np.testing.assert_allclose(points["sample_stats/iwae"], weight.mean("draw"))
    assert "prior_predictive" not in points.children
    assert points.attrs["prior_predictive"].startswith("none: UniformPrior")


def test_a_stochastic_guide_has_draws(drawn):
    assert drawn.attrs["stochastic"] == 1
    theta = drawn["posterior/theta"]
    assert not (theta.isel(draw=0) == theta.isel(draw=1)).any()
    weight = drawn["sample_stats/log_weight"]
    np.testing.assert_allclose(drawn["sample_stats/elbo"], weight.mean("draw"))
    by_hand = np.log(np.exp(weight - weight.max("draw")).mean("draw")) + weight.max("draw")
    np.testing.assert_allclose(drawn["sample_stats/iwae"], by_hand)
    assert (drawn["sample_stats/iwae"] > drawn["sample_stats/elbo"]).all()
    assert not np.allclose(weight, drawn["log_likelihood/frame"].sum("step"))


def test_a_learned_prior_makes_videos(drawn):
    x = drawn["prior_predictive/x"]
    assert dict(x.sizes) == {
        "chain": 1, "draw": 40, "step": 4, "row": 8, "column": 8, "channel": 1,
    }  # fmt: skip
    assert x.dtype == np.int8
    assert 0.0 < x.mean() < 1.0
    assert x.std("draw").mean() > 0.0
    assert drawn.attrs["prior_predictive"].startswith("the states follow the prior")


def test_pixels_and_replicated_frames_follow_the_stored_states(points):
    model, _ = small_run.build()
    theta = torch.from_numpy(points["posterior/theta"].values)
    with torch.no_grad():
        psi = model.decode(theta)[..., 0].numpy()  # [chain, draw, sequence, step, K, D]
    x = points["observed_data/x"].values.reshape(3, 2, 1, 64)
    likelihood = np.log((psi * x + (1 - psi) * (1 - x)).mean(-2))
    found = points["log_likelihood/pixel"].values.reshape(likelihood.shape)
    np.testing.assert_allclose(found, likelihood, rtol=1e-4, atol=1e-5)
    z = points["posterior/assignment"].values.reshape(3, 40, 3, 2, 1, 64)
    chosen = np.take_along_axis(psi, z.astype(int), -2)[..., 0, :]
    replicated = points["posterior_predictive/x"].values.reshape(chosen.shape)
    error = np.sqrt((chosen * (1 - chosen)).sum((1, -1)))
    assert (abs((replicated - chosen).sum((1, -1))) < 4.5 * error).all()
    assert replicated.any()


def test_the_seed_fixes_everything_but_for_the_batches(points):
    again = diagnose(*small_run.build(), frames(), **SIZE, rows_at_once=6)
    other = diagnose(*small_run.build(), frames(), **SIZE, rows_at_once=6, seed=1)
    for path in ("posterior/assignment", "posterior_predictive/x", "sample_stats/gamma"):
        assert again[path].equals(points[path])
        assert not other[path].equals(points[path])
    assert again.attrs == points.attrs
    one_batch = diagnose(*small_run.build(), frames(), **SIZE, rows_at_once=100)
    for path in ("constant_data/pair_pixel", "observed_data/x", "constant_data/group"):
        assert one_batch[path].equals(points[path])
    assert one_batch.attrs["data_sha256"] == points.attrs["data_sha256"]
    fewer = diagnose(*small_run.build(), frames(4), **SIZE)
    assert fewer.attrs["data_sha256"] != points.attrs["data_sha256"]
