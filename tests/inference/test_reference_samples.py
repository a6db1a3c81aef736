"""Samples of the states against quadrature."""

import pytest
import torch
from brightness import PIXELS, image, uniform_model
from brightness_posterior import (
    agree,
    chain_moments,
    gaussian_quadrature,
    known,
    uniform_quadrature,
)

from inference.reference import sample_states
from pyro_nem.errors import ConfigError


def test_samples_have_the_moments_of_the_posterior(gaussian_samples):
    found = gaussian_samples
    assert found.theta.shape == (1, 80, 1, 8, 2, 1)
    assert found.gamma.shape == (1, 80, 1, 8, 2, PIXELS)
    assert agree(chain_moments(found), known(gaussian_quadrature()))
    assert found.divergences.tolist() == [0]
    assert 0.6 < found.acceptance.item() < 1.0
    assert found.step_size.item() > 0.0


def test_samples_of_the_unit_cube_have_the_moments_of_the_posterior():
    found = sample_states(uniform_model(), image(8), samples=40, warmup=40)
    assert found.theta.min() > 0
    assert found.theta.max() < 1
    assert agree(chain_moments(found), known(uniform_quadrature()))


def test_chains_differ():
    found = sample_states(uniform_model(), image(), samples=3, warmup=2, chains=2)
    assert found.theta.shape == (2, 3, 1, 1, 2, 1)
    assert found.acceptance.shape == found.divergences.shape == found.step_size.shape == (2,)
    assert not torch.equal(found.theta[0], found.theta[1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 0}, "samples: expected at least 1"),
        ({"chains": 0}, "chains: expected at least 1"),
        ({"warmup": -1}, "warmup: expected at least 0, got -1"),
        ({"target_acceptance": 1.0}, "target_acceptance: expected a number between 0 and 1"),
    ],
)
def test_bad_samplers(options, message):
    with pytest.raises(ConfigError, match=message):
        sample_states(uniform_model(), image(), **{"samples": 1, "warmup": 0, **options})
