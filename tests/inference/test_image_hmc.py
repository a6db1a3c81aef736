"""Likelihoods by Hamiltonian Monte Carlo, against models whose likelihood is known."""

import pytest
import torch
from small_images import Chain, Gains, pixels

from inference.images import ImageObjective, hmc_likelihood
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
    with torch.no_grad():
        assert (ImageObjective(model, trained.guide)(x).bound < model.log_likelihood(x) - 1).any()
    with pytest.raises(ConfigError, match="expected at least 8, got 3"):
        hmc_likelihood(trained, data, samples=3)
