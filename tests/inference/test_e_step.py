"""The exact E-step against its closed form, Pyro's marginals and its symmetries."""

import math

import pytest
import torch
from pyro import poutine
from pyro.infer import TraceEnum_ELBO

from inference import pixel_posterior, responsibilities
from models import BernoulliPixels, GaussianPixels, SpatialMixture
from pyro_nem.errors import ConfigError
from pyro_nem.networks import DenseDecoder

SHAPE = (2, 3, 1)


def mixture(components, *, pixels=None, learn_mixing=False):
    model = SpatialMixture(
        DenseDecoder(SHAPE, 4), components, pixels=pixels, learn_mixing=learn_mixing
    ).double()
    if learn_mixing:
        model.mixing_logits.data = torch.linspace(-1.0, 1.0, components).double()
    return model


def draw(steps, batch, components, channels=1):
    generator = torch.Generator().manual_seed(3)
    psi = torch.rand(steps, batch, components, 6, channels, generator=generator).double()
    x = (torch.rand(steps, batch, 6, channels, generator=generator) < 0.5).double()
    return psi, x


@pytest.mark.parametrize("components", [1, 2, 5])
@pytest.mark.parametrize(("steps", "batch"), [(1, 1), (1, 3), (2, 1), (3, 2)])
@pytest.mark.parametrize("learn_mixing", [False, True])
@pytest.mark.parametrize("pixels", [BernoulliPixels(), GaussianPixels(0.3)])
def test_equals_the_closed_form(components, steps, batch, learn_mixing, pixels):
    model = mixture(components, pixels=pixels, learn_mixing=learn_mixing)
    psi, x = draw(steps, batch, components, channels=2)
    found = pixel_posterior(model, psi, x)
    y = x.unsqueeze(2)
    if isinstance(pixels, BernoulliPixels):
        likelihood = (y * psi + (1 - y) * (1 - psi)).prod(-1)
    else:
        z = (y - psi) / 0.3
        likelihood = (torch.exp(-0.5 * z**2) / (0.3 * math.sqrt(2 * math.pi))).prod(-1)
    logits = model.mixing_logits if learn_mixing else torch.zeros(components).double()
    joint = logits.softmax(0)[:, None] * likelihood
    torch.testing.assert_close(found.gamma, joint / joint.sum(2, keepdim=True))
    torch.testing.assert_close(found.log_evidence, joint.sum(2).log())
    torch.testing.assert_close(found.gamma.sum(2), torch.ones(steps, batch, 6).double())


def test_equals_pyros_marginals():
    """compute_marginals fails on plates of size 1, so all are larger here."""
    model = mixture(3, learn_mixing=True)
    psi, x = draw(2, 2, 3)

    def guide(*_):
        pass

    marginals = TraceEnum_ELBO(max_plate_nesting=3).compute_marginals(
        model.draw_pixels, guide, psi, x
    )
    expected = marginals["z"].probs.movedim(-1, 2)  # [T, B, K, D]
    torch.testing.assert_close(responsibilities(model, psi, x), expected)


def test_components_can_be_permuted():
    model = mixture(4)
    psi, x = draw(2, 2, 4)
    order = torch.tensor([2, 0, 3, 1])
    gamma = responsibilities(model, psi, x)
    torch.testing.assert_close(responsibilities(model, psi[:, :, order], x), gamma[:, :, order])


def test_a_single_step_needs_no_time_axis():
    model = mixture(3)
    psi, x = draw(1, 2, 3)
    torch.testing.assert_close(
        responsibilities(model, psi[0], x[0]), responsibilities(model, psi, x)[0]
    )


def test_gradient_reaches_psi():
    model = mixture(3)
    psi, x = draw(1, 2, 3)
    psi.requires_grad_()
    assert torch.autograd.gradcheck(lambda p: responsibilities(model, p, x), psi)


def test_missing_pixels_get_the_prior():
    model = mixture(3, learn_mixing=True)
    psi, x = draw(2, 2, 3)
    observed = torch.ones(2, 2, 6, dtype=torch.bool)
    observed[0, 1, 2] = False
    found = pixel_posterior(model, psi, x, observed)
    torch.testing.assert_close(found.gamma[0, 1, :, 2], model.mixing_logits.softmax(0))
    assert found.log_evidence[0, 1, 2].abs() < 1e-12
    full = pixel_posterior(model, psi, x)
    torch.testing.assert_close(found.gamma[1], full.gamma[1])


def test_the_original_floor_makes_almost_no_difference():
    """The released code adds 1e-6 to each likelihood, here psi is clipped there."""
    model = mixture(3)
    psi, x = draw(3, 4, 3)
    likelihood = (x.unsqueeze(2) * psi + (1 - x.unsqueeze(2)) * (1 - psi)).squeeze(-1) + 1e-6
    original = likelihood / likelihood.sum(2, keepdim=True)
    assert (responsibilities(model, psi, x) - original).abs().max() < 1e-5
    # Where no component explains the pixel, both share it evenly.
    dark, lit = torch.zeros(1, 1, 3, 6, 1).double(), torch.ones(1, 1, 6, 1).double()
    torch.testing.assert_close(
        responsibilities(model, dark, lit), torch.full((1, 1, 3, 6), 1 / 3).double()
    )


def test_runs_inside_another_pyro_program():
    """A program with the model's own plates and sites does not collide with the E-step."""
    model = mixture(3)
    psi, x = draw(2, 2, 3)

    def program():
        model.draw_pixels(psi, x)
        responsibilities(model, psi, x)
        return responsibilities(model, psi, x)

    trace = poutine.trace(program).get_trace()
    assert set(trace.nodes) == {"_INPUT", "time", "batch", "pixel", "z", "x", "_RETURN"}
    assert trace.nodes["z"]["value"].shape == (2, 2, 6)


def test_a_full_gaussian_frame_far_from_every_component_stays_finite():
    model = mixture(2, pixels=GaussianPixels(0.01))
    psi = torch.zeros(1, 1, 2, 6, 1).double()
    psi[:, :, 1] = 0.1
    found = pixel_posterior(model, psi, torch.full((1, 1, 6, 1), 50.0).double())
    assert found.gamma.isfinite().all()
    torch.testing.assert_close(found.gamma.sum(2), torch.ones(1, 1, 6).double())


def test_wrong_shapes_are_named():
    model = mixture(3)
    psi, x = draw(2, 2, 3)
    with pytest.raises(ConfigError, match=r"psi, x: expected shapes"):
        responsibilities(model, psi, x[:, :, :4])
