"""Likelihoods by Hamiltonian Monte Carlo, against models whose likelihood is known."""

import math

import pytest
import torch
from small_images import Chain, Gains, Peaks, pixels

from inference.images import ImageObjective, ImagePosterior, hmc_likelihood
from pyro_nem.errors import ConfigError


@pytest.mark.usefixtures("double_precision", "empty_param_store")
def test_a_known_likelihood_is_found_with_a_bad_guide():
    model = Chain(2)
    data = pixels([[1], [0]])
    x = data.probabilities(slice(None)).double()
    trained = ImageObjective(model, Gains(model, offset=0.8, factor=0.3))
    found = hmc_likelihood(trained, data, samples=200, warmup=50)
    torch.testing.assert_close(found.log_likelihood, model.log_likelihood(x), atol=0.1, rtol=0)
    assert (found.spread < 1.0).all()
    assert (found.missed < 0.1).all()
    with torch.no_grad():
        assert (ImageObjective(model, trained.guide)(x).bound < model.log_likelihood(x) - 1).any()
    with pytest.raises(ConfigError, match="expected at least 8, got 3"):
        hmc_likelihood(trained, data, samples=3)


@pytest.mark.usefixtures("double_precision", "empty_param_store")
def test_the_seed_fixes_the_numbers():
    model = Chain(1)
    trained = ImageObjective(model, Gains(model))
    one, same, other = (
        hmc_likelihood(trained, pixels([[1]]), samples=8, warmup=4, seed=seed) for seed in (0, 0, 1)
    )
    for a, b, c in zip(one, same, other, strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)


@pytest.mark.usefixtures("double_precision", "empty_param_store")
@pytest.mark.parametrize(("heights", "missed"), [((1.0, 2.0), 0.0), ((2.0, 2.0), math.log(2))])
def test_of_two_modes_the_best_is_found_and_the_other_is_said_to_be_missed(heights, missed):
    """The guide knows of one mode only, the lower one where they differ."""
    model = Peaks(*heights)
    guide = ImagePosterior(model)
    with torch.no_grad():
        guide.encoders[0][-1].weight.zero_()
        guide.encoders[0][-1].bias.copy_(torch.tensor([-1.0, 0.0]))
    data = pixels([[1] * model.law_of_images.size] * 2)
    found = hmc_likelihood(ImageObjective(model, guide), data, samples=200, warmup=50)
    truth = model.log_likelihood_of_ones().expand(2)
    torch.testing.assert_close(found.log_likelihood, truth - missed, atol=0.1, rtol=0)
    torch.testing.assert_close(found.missed, torch.full((2,), missed), atol=0.25, rtol=0)
    assert (found.spread < 1.0).all()
