"""The posterior of toys whose answers are known."""

import math

import numpy as np
import pytest
import torch
from brightness import (
    IMAGE,
    PIXELS,
    SHAPE,
    NormalGuide,
    assignments,
    exact_law,
    gaussian_model,
    log_joint,
)

from inference.diagnostics import (
    bound_tightness,
    calibration,
    co_assignment_calibration,
    diagnose,
    guide_posterior,
    k_hat,
    loo_k_hat,
    nuts_posterior,
    simulation_based_calibration,
)
from inference.guides import RNNEM
from inference.reference import co_assignment
from models import GaussianPixels, SpatialMixture, StateLaw
from pyro_nem.data import ArrayFrames, Noise
from pyro_nem.errors import ConfigError
from pyro_nem.networks import FlatEncoder, GatedCell

SIZE = {"steps": 1, "noise": Noise("none"), "shown_sequences": 1, "pairs": 4}


def images(number=1):
    """The image of the toy, and shifted copies of it."""
    shifts = np.linspace(0.0, -0.2, number)[:, None]
    return np.clip(np.array(IMAGE) + shifts, 0.0, 1.0).astype(np.float32)


def posterior(components, law, number=1, **options):
    model = gaussian_model(components)
    frames = images(number).reshape(1, number, *SHAPE)
    return diagnose(model, NormalGuide(model, law), frames, **{**SIZE, **options})


def wide(targets):
    """Covers both numberings of two components, which the posterior has."""
    loc = targets.new_full((1, targets.shape[1], 2, 1), 0.5)
    return StateLaw(loc, torch.full_like(loc, 0.6))


def test_the_evidence_by_enumeration_is_within_the_interval_of_iwae_1000():
    tree = posterior(2, wide, 3, restarts=8, draws=1000)
    exact = log_joint(torch.from_numpy(images(3)).double()).logsumexp(1)
    iwae = tree["sample_stats/iwae"]
    error = iwae.std("chain", ddof=1) / math.sqrt(8)
    assert (error < 0.1).all()
    assert (abs(iwae.mean("chain") - exact.numpy()) < 4 * error).all()
    found = bound_tightness(tree)
    np.testing.assert_allclose(found.iwae, iwae.mean("chain"))
    np.testing.assert_allclose(
        found.gap_error, (iwae - tree["sample_stats/elbo"]).std("chain", ddof=1) / math.sqrt(8)
    )
    assert (found.gap > 1.0).all()
    assert (found.elbo < exact.numpy()).all()


def test_the_bound_of_the_exact_posterior_is_tight_and_its_weights_equal():
    tree = posterior(1, exact_law(), 3, restarts=2, draws=50)
    found = bound_tightness(tree)
    assert (abs(found.gap) < 1e-6).all()
    shapes = k_hat(tree)
    assert shapes.values.dims == ("sequence",)
    assert (shapes.values < 0.5).all()
    assert (shapes.above, shapes.unknown) == (0, 0)


def test_k_hat_tells_a_narrow_guide_from_a_good_one():
    good = k_hat(posterior(1, exact_law(0.9), 8, restarts=4, draws=4000))
    narrow = k_hat(posterior(1, exact_law(0.1), 8, restarts=4, draws=4000))
    assert (good.values < 0.5).all()
    assert good.above == 0
    assert (narrow.values > 0.7).all()
    assert narrow.above == 8


def test_k_hat_of_leaving_a_pixel_out():
    """The weights 1 / p(x_i | theta) grow without bound, but slower than the posterior falls."""
    good = loo_k_hat(posterior(1, exact_law(), restarts=4, draws=4000))
    assert good.values.dims == ("shown_sequence", "shown_step", "row", "column")
    assert good.values.shape == (1, 1, 2, 3)
    assert ((good.values > 0.05) & (good.values < 0.6)).all()
    assert (good.above, good.unknown) == (0, 0)
    narrow = loo_k_hat(posterior(1, exact_law(0.1), restarts=4, draws=4000))
    assert narrow.above == PIXELS


def test_k_hat_takes_draws_and_a_density():
    few = k_hat(posterior(1, exact_law(0.5), restarts=2, draws=12))
    assert np.isnan(few.values).all()
    assert few.unknown == 1
    tree = posterior(1, exact_law(0.5), restarts=2, draws=13)
    assert np.isfinite(k_hat(tree).values).all()
    tree.attrs["stochastic"] = 0
    assert np.isnan(k_hat(tree).values).all()
    assert loo_k_hat(tree).unknown == PIXELS


# Simulation-based calibration


def rejected(found):
    return min(found.p_values.values()) < 0.001


def test_nuts_has_uniform_ranks():
    model = gaussian_model()
    draw = nuts_posterior(model, warmup=40, thin=3)
    found = simulation_based_calibration(model, draw, simulations=200, draws=19)
    assert not rejected(found)
    assert set(found.ranks) == {"log_likelihood", "co_assignment", "mean_state"}
    for ranks in found.ranks.values():
        assert ranks.shape == (200,)
        assert ranks.min() >= 0
        assert ranks.max() <= 19


@pytest.mark.parametrize("width", [1.0, 0.1, 3.0])
def test_ranks_reject_a_guide_of_another_width(width):
    model = gaussian_model(1)
    draw = guide_posterior(NormalGuide(model, exact_law(width)))
    found = simulation_based_calibration(model, draw, simulations=500)
    assert rejected(found) == (width != 1.0)
    middle = np.mean(abs(found.ranks["mean_state"] - 49.5) < 25)
    assert (middle < 0.2) == (width < 1.0)
    assert (middle > 0.8) == (width > 1.0)


def test_equal_seeds_share_no_numbers():
    """Pixels say little here, so the posterior is nearly the prior that the truth is drawn from."""
    model, sigma = gaussian_model(1), 4.0
    model.pixels = GaussianPixels(sigma)
    draw = guide_posterior(NormalGuide(model, exact_law(sigma=sigma)))
    found = simulation_based_calibration(model, draw, simulations=2000, draws=9)
    assert not rejected(found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 100}, "draws: expected one less than a multiple of bins.* use draws=109"),
        ({"simulations": 0}, "simulations: expected at least 1, got 0"),
    ],
)
def test_bad_simulations(options, message):
    model = gaussian_model(1)
    draw = guide_posterior(NormalGuide(model, exact_law()))
    with pytest.raises(ConfigError, match=message):
        simulation_based_calibration(model, draw, **options)


def test_draws_of_another_shape_are_refused():
    model = gaussian_model(1)
    with pytest.raises(ConfigError, match=r"posterior: expected draws of shape \[99, 200, 1, 1\]"):
        simulation_based_calibration(model, lambda clip, draws: torch.zeros(draws, 200, 1))


def test_point_masses_have_no_rank():
    model = gaussian_model()
    without_context = SpatialMixture(model.decoder, 2, pixels=model.pixels)
    guide = RNNEM(without_context, FlatEncoder((2, 3, 4)), GatedCell(4 * PIXELS, 5)).double()
    guide.rollout = lambda clip, generator, draws: (
        NormalGuide(model, wide).rollout(clip, generator, draws)._replace(posterior=None)
    )
    with pytest.raises(ConfigError, match="guide: expected states with a density, but those of RN"):
        simulation_based_calibration(model, guide_posterior(guide), simulations=2, draws=9)


# Calibration of co-assignment


def simulate(number):
    """States, assignments [N, D] and images [N, D] of the model with two components."""
    generator = torch.Generator().manual_seed(0)
    theta = 0.5 + torch.randn(number, 2, generator=generator).double()
    z = torch.randint(2, (number, PIXELS), generator=generator)
    noise = torch.randn(number, PIXELS, generator=generator).double()
    return theta, z, theta.gather(1, z) + 0.25 * noise


def on_the_diagonal(found):
    filled = found.events > 0
    distance = abs(found.frequency - found.probability)[filled]
    return bool((distance < 4 * found.error[filled]).all())


def test_the_exact_posterior_is_calibrated():
    """One pair of pixels of each image, so that events are independent."""
    _, z, x = simulate(4000)
    weight = log_joint(x).softmax(1)
    every = assignments()
    exact = (weight * (every[:, 0] == every[:, 1])).sum(1).numpy()
    same = (z[:, 0] == z[:, 1]).numpy()
    found = calibration(exact, same)
    assert on_the_diagonal(found)
    assert found.ece < 0.05
    # A posterior that is too sure of itself is noticed.
    sure = calibration(exact**3 / (exact**3 + (1 - exact) ** 3), same)
    assert not on_the_diagonal(sure)
    assert sure.brier > found.brier


@pytest.mark.parametrize("bias", [0.0, 0.5])
def test_true_states_are_calibrated_and_wrong_ones_are_not(bias):
    """Through diagnose: theta known, the co-assignment is exact given it."""
    theta, z, x = simulate(8000)
    inside = ((x >= 0) & (x <= 1)).all(1)
    # Images have values in [0, 1]; to choose by the image leaves the posterior what it is.
    theta, z, x = theta[inside], z[inside], x[inside]
    number = len(x)
    assert number > 100

    def law(targets):
        # In file order, all restarts side by side.
        loc = theta.repeat(targets.shape[1] // number, 1)[None, :, :, None]
        return StateLaw(loc + bias * torch.tensor([[1.0], [-1.0]]), torch.full_like(loc, 1e-9))

    frames = x.float().numpy().reshape(1, number, *SHAPE)
    groups = (z + 1).to(torch.uint8).numpy().reshape(1, number, *SHAPE)
    model = gaussian_model()
    tree = diagnose(
        model,
        NormalGuide(model, law),
        ArrayFrames(frames, groups),
        **{**SIZE, "pairs": 1},
        sequences=number,
        restarts=2,
        draws=2,
        rows_at_once=10**6,
    )
    found = co_assignment_calibration(tree, bins=5)
    assert found.events.sum() == number
    assert on_the_diagonal(found) == (bias == 0.0)
    pairs = torch.from_numpy(tree["constant_data/pair_pixel"].values).long()
    gamma = GaussianPixels().distribution(theta[:, :, None, None]).log_prob(x[:, None, :, None])
    by_hand = co_assignment(gamma.softmax(1)[0], pairs[0])
    if bias == 0.0:
        np.testing.assert_allclose(tree["sample_stats/pair_probability"][0, 0], by_hand, atol=1e-4)
