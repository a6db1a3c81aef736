"""What is special to each guide with point-mass states."""

import pytest
import torch
from guide_zoo import PIXELS, SHAPE, VIEWS, build, make_clip

from inference.guides import RNEM, RNNEM, GradientNEM
from inference.guides.views import look
from models import GaussianPixels, RecurrentPrior, SpatialMixture
from pyro_nem.errors import ConfigError
from pyro_nem.networks import DenseDecoder, FlatEncoder, SigmoidCell, TiedDecoder


def test_gradient_nem_ascends_the_expected_log_likelihood():
    model, guide = build("n-em", 3)
    guide.step_size.data.fill_(0.3)
    clip = make_clip(1, 2)
    state = guide.start(2, torch.Generator().manual_seed(5))
    state = guide.step(state, clip.inputs[0], clip.targets[0])
    a = state.hidden.detach().requires_grad_()
    psi = model.decode(a.sigmoid())
    x = clip.inputs[0][:, None]
    log_p = (x * psi.log() + (1 - x) * (1 - psi).log()).squeeze(-1)
    (gradient,) = torch.autograd.grad((state.gamma.detach() * log_p).sum(), a)
    after = guide.step(state, clip.inputs[0], clip.targets[0])
    torch.testing.assert_close(after.hidden, state.hidden + 0.3 * gradient)


@pytest.mark.parametrize("components", [1, 3])
def test_a_draw_of_zeros_is_a_start(components, monkeypatch):
    """As 32-bit draws are now and then; with one component, 0 / 0 would follow."""
    _, guide = build("rnn-em, dense", components)
    monkeypatch.setattr(
        torch, "randn", lambda shape, **kind: torch.zeros(shape, dtype=kind["dtype"])
    )
    gamma = guide.start(2).gamma
    torch.testing.assert_close(gamma, torch.full_like(gamma, 1 / components))


def test_gradient_nem_works_without_autograd():
    _, guide = build("n-em", 3)
    with torch.no_grad():
        assert not guide.rollout(make_clip(2, 1)).psi.requires_grad


def test_stopping_the_gamma_gradient_stops_it():
    model, _ = build("rnn-em, dense", 2)
    encoder = FlatEncoder(SHAPE)
    clip = make_clip(2, 1)
    for gradient_gamma in (False, True):
        guide = RNNEM(
            model,
            encoder,
            SigmoidCell(PIXELS, 6),
            gradient_gamma=gradient_gamma,
            views=("masked-residual",),
            gradient_psi=True,
        )
        assert guide.double().rollout(clip).gamma.requires_grad is gradient_gamma


def test_views_by_hand():
    generator = torch.Generator().manual_seed(2)
    x = torch.rand(2, 5, 2, generator=generator).double()
    psi = torch.rand(2, 3, 5, 2, generator=generator).double()
    gamma = torch.rand(2, 3, 5, generator=generator).double()
    seen = look(VIEWS, x, psi, gamma)
    assert seen.shape == (2, 3, 5, 11)
    b, k, i = 1, 2, 3
    masked = gamma[b, k][:, None] * (x[b] - psi[b, k])
    normalised = (masked - masked.mean()) / (masked.var(correction=0) + 1e-6).sqrt()
    expected = torch.cat(
        [
            masked[i],
            normalised[i],
            gamma[b, k, i : i + 1],
            psi[b, k, i],
            x[b, i],
            x[b, i] - psi[b, :, i].max(0).values,
        ]
    )
    torch.testing.assert_close(seen[b, k, i], expected)


def test_a_starved_component_sees_finite_numbers():
    zeros = torch.zeros(1, 2, 5, 1)
    seen = look(("normalised-residual",), torch.ones(1, 5, 1), zeros, zeros[..., 0])
    assert torch.equal(seen, torch.zeros(1, 2, 5, 1))


@pytest.mark.parametrize("views", [(), ("psi", "psi"), ("colour",)])
def test_bad_views(views):
    model, _ = build("rnn-em, located", 2)
    with pytest.raises(ConfigError, match="views: expected"):
        RNNEM(model, views=views)


def test_gradient_nem_refuses_other_models():
    message = r"TiedDecoder, got DenseDecoder; build the model with .*TiedDecoder\(image_shape\)"
    with pytest.raises(ConfigError, match=message):
        GradientNEM(SpatialMixture(DenseDecoder(SHAPE, 6), 2))
    with pytest.raises(ConfigError, match="Bernoulli pixels, got GaussianPixels"):
        GradientNEM(SpatialMixture(TiedDecoder(SHAPE, 6), 2, pixels=GaussianPixels()))


def test_an_encoder_for_other_views_is_refused():
    model, _ = build("rnn-em, dense", 2)
    with pytest.raises(ConfigError, match=r"shape \(8, 8, 4\), but it takes \(8, 8, 1\); build it"):
        RNNEM(model, FlatEncoder(SHAPE), SigmoidCell(PIXELS, 6))


@pytest.mark.parametrize("guide", [RNNEM, RNEM])
def test_parts_for_another_model_are_refused(guide):
    model, _ = build("rnn-em, dense", 2)
    masked = {"views": ("masked-residual",)}
    with pytest.raises(ConfigError, match=r"shape \(8, 8, 1\), but it takes \(12, 8, 1\)"):
        guide(model, FlatEncoder((12, 8, 1)), SigmoidCell(96, 6), **masked)
    with pytest.raises(ConfigError, match="cell: carries a state of size 7, but the model's deco"):
        guide(model, FlatEncoder(SHAPE), SigmoidCell(PIXELS, 7), **masked)


@pytest.mark.parametrize("guide", [RNNEM, RNEM, GradientNEM])
def test_a_prior_with_a_context_needs_a_guide_that_has_one(guide):
    model = SpatialMixture(TiedDecoder(SHAPE, 11), 2, prior=RecurrentPrior(6, 5))
    with pytest.raises(ConfigError, match=r"model: its prior reads a context of size 5.* VRNN"):
        guide(model)
