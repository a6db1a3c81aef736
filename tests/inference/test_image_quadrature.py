"""Likelihoods by quadrature, against models whose likelihood is known."""

import pytest
import torch
from small_images import Chain, Gains, Peaks, bits, build, images, pixels

from inference.images import ImageObjective, ImagePosterior, quadrature_likelihood
from models import BernoulliOutput, ImageVAE
from pyro_nem.errors import ConfigError


@pytest.mark.usefixtures("double_precision")
def test_a_known_likelihood_is_found():
    model = Chain(1)
    data = pixels([[1], [0], [1]])
    x = data.probabilities(slice(None)).double()
    found = quadrature_likelihood(ImageObjective(model, Gains(model, offset=3.0)), data)
    torch.testing.assert_close(found.log_likelihood, model.log_likelihood(x))
    assert (found.change < 1e-9).all()


@pytest.mark.usefixtures("double_precision")
def test_both_modes_count():
    model = Peaks(2.0, 2.0)
    data = pixels([[1] * 20])
    found = quadrature_likelihood(ImageObjective(model, ImagePosterior(model)), data)
    torch.testing.assert_close(found.log_likelihood[0], model.log_likelihood_of_ones())


def test_two_latents_are_summed_over_a_square():
    model, guide = build()
    data = images(2).binarised(0)
    found = quadrature_likelihood(ImageObjective(model, guide), data, points=201)
    x, z = bits(2), torch.linspace(-6.0, 6.0, 201, dtype=torch.double)
    plane = torch.stack(torch.meshgrid(z, z, indexing="ij"), -1)  # [201, 201, H]
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(plane).sum(-1)
    with torch.no_grad():
        law = model.law_of_images.law(model.decode(plane))
    for image, value in zip(x, found.log_likelihood, strict=True):
        joint = prior + law.log_prob(image)
        integral = torch.trapezoid(torch.trapezoid(joint.exp(), z), z)
        torch.testing.assert_close(value, integral.log())
    assert (found.change < 1e-6).all()


@pytest.mark.usefixtures("double_precision")
def test_a_grid_that_is_too_coarse_is_noticed():
    model = Peaks(9.0, 0.0)
    found = quadrature_likelihood(
        ImageObjective(model, ImagePosterior(model)), pixels([[1] * 20]), points=7
    )
    assert found.change > 0.5


def test_what_has_no_grid_is_refused():
    three = ImageVAE(BernoulliOutput(6), latent_sizes=(3,), widths=(4,))
    for model in (three, build(2)[0]):
        with pytest.raises(ConfigError, match="one layer of one or two latents, got latent sizes"):
            quadrature_likelihood(ImageObjective(model, ImagePosterior(model)), images(1))
    objective = ImageObjective(*build())
    with pytest.raises(ConfigError, match="points: expected an odd number, got 8; use 9"):
        quadrature_likelihood(objective, images(1), points=8)
    with pytest.raises(ConfigError, match="points: expected at least 5, got 3"):
        quadrature_likelihood(objective, images(1), points=3)
    with pytest.raises(ConfigError, match="has 1 pixels an image"):
        quadrature_likelihood(objective, pixels([[1]]))
