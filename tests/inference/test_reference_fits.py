"""Free-form fits of the states against quadrature."""

import math

import pyro
import pytest
import torch
from brightness import PIXELS, gaussian_model, image, uniform_model
from brightness_posterior import (
    VARIATIONAL,
    agree,
    gaussian_quadrature,
    known,
    moments,
    uniform_quadrature,
)

from inference.reference import fit_states, sample_states
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError, NumericalError

POINTS = {"family": "delta", "updates": 200, "learning_rate": 0.1}


@pytest.fixture(scope="module")
def gaussian_fit():
    return fit_states(gaussian_model(), image(2), updates=300, draws=2000, restarts=2)


def test_the_normal_fit_is_a_bound_and_loses_the_other_numbering(gaussian_fit):
    """q numbers the components in one of two ways that are equally probable."""
    exact = gaussian_quadrature()
    assert (gaussian_fit.bound < exact.log_evidence).all()
    best = exact.log_evidence - math.log(2)
    assert (gaussian_fit.bound < best + 4 * gaussian_fit.standard_error).all()
    torch.testing.assert_close(gaussian_fit.bound, best.expand(2), atol=0.1, rtol=0)
    assert gaussian_fit.starts.shape == (2, 1, 2)


def test_the_normal_fit_has_the_moments_of_the_posterior(gaussian_fit):
    found = moments(gaussian_fit.gamma[:, 0].transpose(0, 1), independent=True)
    assert agree(found, known(gaussian_quadrature()), VARIATIONAL)


def test_the_fitted_law_is_what_was_drawn_from(gaussian_fit):
    assert gaussian_fit.theta.shape == (2000, 1, 2, 2, 1)
    assert gaussian_fit.gamma.shape == (2000, 1, 2, 2, PIXELS)
    loc, scale = gaussian_fit.posterior
    assert ((gaussian_fit.theta.mean(0) - loc).abs() < 4 * scale / math.sqrt(2000)).all()
    assert (gaussian_fit.theta.std(0) / scale - 1).abs().max() < 0.1


def test_the_normal_fit_on_the_unit_cube_is_a_bound():
    exact = uniform_quadrature()
    fit = fit_states(uniform_model(), image(), updates=200, draws=1000)
    assert fit.theta.min() > 0
    assert fit.theta.max() < 1
    assert fit.bound < exact.log_evidence
    assert fit.bound > exact.log_evidence - math.log(2) - 0.3
    torch.testing.assert_close(fit.theta.logit().mean(0), fit.posterior.loc, atol=0.2, rtol=0)


def test_the_point_fit_is_the_maximum():
    fit = fit_states(uniform_model(), image(), restarts=3, **POINTS)
    torch.testing.assert_close(fit.bound[0], uniform_quadrature().highest, atol=1e-3, rtol=0)
    assert fit.posterior is None
    assert fit.standard_error.tolist() == [0.0]
    assert fit.theta.shape == (1, 1, 1, 2, 1)


def test_sequences_and_steps_are_fitted_on_their_own():
    """Two steps of two sequences, one of which is dark, against the dark image alone."""
    clip = image(2, 2)
    targets = clip.targets * torch.tensor([1.0, 0.3]).double().view(1, 2, 1, 1)
    model = uniform_model()
    both = fit_states(model, Clip(clip.inputs, targets), restarts=2, **POINTS)
    bright = uniform_quadrature().highest
    dark = Clip(clip.inputs[:1, :1], targets[:1, 1:])
    alone = fit_states(model, dark, restarts=2, **POINTS).bound[0]
    expected = torch.stack([2 * bright, 2 * alone])
    torch.testing.assert_close(both.bound, expected, atol=5e-3, rtol=0)
    torch.testing.assert_close(both.starts.amax(0).sum(0), both.bound)


def test_only_observed_targets_count():
    clip = image()
    observed = torch.zeros(1, 1, PIXELS, dtype=torch.bool)
    unseen = Clip(clip.inputs, clip.targets * math.nan, observed)
    fit = fit_states(uniform_model(), unseen, family="delta", updates=2)
    torch.testing.assert_close(fit.bound, torch.zeros(1).double())
    torch.testing.assert_close(fit.gamma, torch.full_like(fit.gamma, 0.5))
    samples = sample_states(uniform_model(), unseen, samples=2, warmup=0)
    torch.testing.assert_close(samples.gamma, torch.full_like(samples.gamma, 0.5))


def test_a_start_can_be_given():
    start = torch.tensor([0.97, 0.04]).double().view(1, 1, 2, 1)
    fit = fit_states(uniform_model(), image(), family="delta", updates=1, restarts=0, initial=start)
    torch.testing.assert_close(fit.theta[0], start, atol=0.01, rtol=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"updates": 0}, "updates: expected at least 1, got 0"),
        ({"particles": 0}, "particles: expected at least 1"),
        ({"draws": 0}, "draws: expected at least 1"),
        ({"restarts": 0}, "restarts: expected at least 1"),
        ({"learning_rate": 0.0}, "learning_rate: expected a positive number, got 0.0"),
        ({"family": "gamma"}, "family: expected one of normal, delta, got 'gamma'"),
        ({"initial": torch.zeros(2)}, r"initial: expected states of shape .* \[1, 1, 2, 1\]"),
    ],
)
def test_bad_fits(options, message):
    with pytest.raises(ConfigError, match=message):
        fit_states(uniform_model(), image(), **options)


def test_a_bound_that_is_no_number_is_an_error():
    clip = image(2)
    targets = clip.targets.clone()
    targets[0, 1, 3] = math.nan
    with pyro.validation_enabled(False), pytest.raises(NumericalError, match=r"sequences \[1\]"):
        fit_states(uniform_model(), Clip(clip.inputs, targets), updates=2, draws=2)
