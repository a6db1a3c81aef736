"""The contract that every guide keeps, and what is special to each."""

import pytest
import torch
from pyro import poutine

from inference import NEMObjective
from inference.guides import RNNEM, GradientNEM
from inference.guides.views import look
from models import GaussianPixels, SpatialMixture
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError
from pyro_nem.networks import (
    ConvDecoder,
    ConvEncoder,
    DenseDecoder,
    FlatEncoder,
    LocatedDecoder,
    SigmoidCell,
    TiedDecoder,
)

SHAPE = (8, 8, 1)
PIXELS = 64
VIEWS = ("masked-residual", "normalised-residual", "gamma", "psi", "frame", "unexplained")


def build(name, components):
    torch.manual_seed(0)
    if name == "n-em":
        model = SpatialMixture(TiedDecoder(SHAPE, 6), components)
        guide = GradientNEM(model)
    elif name == "rnn-em, dense":
        model = SpatialMixture(DenseDecoder(SHAPE, 6), components)
        guide = RNNEM(
            model,
            FlatEncoder(SHAPE),
            SigmoidCell(PIXELS, 6),
            gradient_gamma=True,
            views=("masked-residual",),
            gradient_psi=True,
        )
    elif name == "rnn-em, convolutional":
        model = SpatialMixture(ConvDecoder(SHAPE, 6), components)
        guide = RNNEM(
            model,
            ConvEncoder(SHAPE),
            SigmoidCell(512, 6, normalise=True),
            views=("masked-residual",),
            gradient_psi=True,
        )
    else:
        model = SpatialMixture(LocatedDecoder(SHAPE, 6, template=3), components)
        guide = RNNEM(model, views=VIEWS, gradient_psi=False)
    return model.double(), guide.double()


GUIDES = ["n-em", "rnn-em, dense", "rnn-em, convolutional", "rnn-em, located"]


def make_clip(steps, batch):
    generator = torch.Generator().manual_seed(1)
    frames = (torch.rand(steps + 1, batch, PIXELS, 1, generator=generator) < 0.3).double()
    return Clip(frames[:-1], frames[1:])


@pytest.mark.parametrize("name", GUIDES)
@pytest.mark.parametrize(("components", "steps", "batch"), [(3, 3, 2), (1, 2, 2), (3, 1, 1)])
def test_sites_shapes_and_gradients(name, components, steps, batch):
    model, guide = build(name, components)
    clip = make_clip(steps, batch)
    generator = torch.Generator().manual_seed(5)
    rollout = guide.rollout(clip, generator)
    assert rollout.theta.shape == (steps, batch, components, 6)
    assert rollout.psi.shape == (steps, batch, components, PIXELS, 1)
    assert rollout.gamma.shape == (steps, batch, components, PIXELS)
    assert rollout.initial_gamma.shape == (batch, components, PIXELS)
    torch.testing.assert_close(rollout.gamma.sum(2), torch.ones(steps, batch, PIXELS).double())
    torch.testing.assert_close(rollout.initial_gamma.sum(1), torch.ones(batch, PIXELS).double())
    assert rollout.theta.min() >= 0
    assert rollout.theta.max() <= 1
    torch.testing.assert_close(rollout.psi, model.decode(rollout.theta))
    trace = poutine.trace(guide).get_trace(clip, rollout)
    assert trace.nodes["theta"]["value"].shape == (steps, batch, 1, components, 6)
    assert [name for name in trace.stochastic_nodes if name not in ("time", "batch")] == ["theta"]
    NEMObjective(model, guide)(clip, torch.Generator().manual_seed(5)).loss.backward()
    for module in (model, guide):
        for parameter_name, parameter in module.named_parameters():
            assert parameter.grad is not None, parameter_name
            assert parameter.grad.isfinite().all(), parameter_name


@pytest.mark.parametrize("name", GUIDES)
def test_components_can_be_permuted(name, monkeypatch):
    """With the first responsibilities permuted, everything is permuted and the loss stays."""
    model, guide = build(name, 3)
    clip = make_clip(3, 2)
    order = torch.tensor([2, 0, 1])
    first = guide.init(2, torch.Generator().manual_seed(5))
    rollouts, losses = [], []
    for state in (first, first._replace(gamma=first.gamma[:, order])):
        monkeypatch.setattr(guide, "init", lambda *_, state=state: state)
        terms = NEMObjective(model, guide)(clip)
        rollouts.append(terms.rollout)
        losses.append(terms.loss)
    torch.testing.assert_close(losses[0], losses[1])
    torch.testing.assert_close(rollouts[0].gamma[:, :, order], rollouts[1].gamma)
    torch.testing.assert_close(rollouts[0].psi[:, :, order], rollouts[1].psi)


@pytest.mark.parametrize("name", GUIDES)
def test_a_sequence_does_not_depend_on_its_neighbours(name, monkeypatch):
    _, guide = build(name, 3)
    clip = make_clip(3, 2)
    first = guide.init(2, torch.Generator().manual_seed(5))
    together = guide.rollout(clip, torch.Generator().manual_seed(5))
    alone = type(first)(*(part[1:] for part in first))
    monkeypatch.setattr(guide, "init", lambda *_: alone)
    single = guide.rollout(Clip(clip.inputs[:, 1:], clip.targets[:, 1:]))
    torch.testing.assert_close(single.psi, together.psi[:, 1:])


@pytest.mark.parametrize("name", GUIDES)
def test_the_guide_does_not_own_the_models_parameters(name):
    model, guide = build(name, 2)
    owned = {id(p) for p in guide.parameters()}
    assert owned.isdisjoint(id(p) for p in model.parameters())
    assert not any("model" in key for key in guide.state_dict())


@pytest.mark.parametrize("name", GUIDES)
def test_the_generator_alone_decides_the_first_responsibilities(name):
    _, guide = build(name, 3)
    one, two, other = (
        guide.init(2, torch.Generator().manual_seed(seed)).gamma for seed in (1, 1, 2)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_gradient_nem_ascends_the_expected_log_likelihood():
    model, guide = build("n-em", 3)
    guide.step_size.data.fill_(0.3)
    clip = make_clip(1, 2)
    state = guide.init(2, torch.Generator().manual_seed(5))
    state = guide.step(state, clip.inputs[0], clip.targets[0])
    a = state.hidden.detach().requires_grad_()
    psi = model.decode(a.sigmoid())
    x = clip.inputs[0][:, None]
    log_p = (x * psi.log() + (1 - x) * (1 - psi).log()).squeeze(-1)
    (gradient,) = torch.autograd.grad((state.gamma.detach() * log_p).sum(), a)
    after = guide.step(state, clip.inputs[0], clip.targets[0])
    torch.testing.assert_close(after.hidden, state.hidden + 0.3 * gradient)


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
    with pytest.raises(ConfigError, match="TiedDecoder, got DenseDecoder"):
        GradientNEM(SpatialMixture(DenseDecoder(SHAPE, 6), 2))
    with pytest.raises(ConfigError, match="Bernoulli pixels, got GaussianPixels"):
        GradientNEM(SpatialMixture(TiedDecoder(SHAPE, 6), 2, pixels=GaussianPixels()))


def test_an_encoder_for_other_views_is_refused():
    model, _ = build("rnn-em, dense", 2)
    with pytest.raises(ConfigError, match="3 channels, but it takes 1; build it with"):
        RNNEM(model, FlatEncoder(SHAPE), SigmoidCell(PIXELS, 6))
