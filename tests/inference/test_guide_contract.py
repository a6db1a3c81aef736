"""The contract that every guide keeps under every objective."""

import pytest
import torch
from guide_zoo import (
    CONTEXT,
    DETERMINISTIC,
    GUIDES,
    OBJECTIVES,
    PIXELS,
    STATE,
    STOCHASTIC_OBJECTIVES,
    build,
    make_clip,
)
from pyro import poutine

from inference import BoundConfig, NEMObjective
from inference.guides import recurrent
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError

CASES = [(name, bound) for name in GUIDES for bound in OBJECTIVES]
CASES += [("vrnn", bound) for bound in STOCHASTIC_OBJECTIVES]

over_cases = pytest.mark.parametrize(("name", "bound"), CASES, ids=str)


def generator():
    return torch.Generator().manual_seed(5)


def same_noise(monkeypatch):
    """Let every sequence and component draw with the same noise, so that they can be exchanged."""
    monkeypatch.setattr(recurrent, "draw_with", lambda _: lambda law: law.loc + 0.3 * law.scale)


def gradient_of(loss, objective):
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(objective.parameters()))])


def start_from(guide, state, monkeypatch):
    monkeypatch.setattr(guide, "start", lambda *_: state)


@pytest.mark.parametrize("name", GUIDES)
@pytest.mark.parametrize(("components", "steps", "batch"), [(3, 3, 2), (1, 2, 2), (3, 1, 1)])
@pytest.mark.parametrize("particles", [1, 4])
def test_sites_and_shapes(name, components, steps, batch, particles):
    model, guide = build(name, components)
    clip = make_clip(steps, batch)
    rollout = guide.rollout(clip, generator(), particles)
    stacked = (particles,) if guide.stochastic and particles > 1 else ()
    shape = (*stacked, steps, batch, components)
    assert rollout.theta.shape == (*shape, STATE)
    assert rollout.psi.shape == (*shape, PIXELS, 1)
    assert rollout.gamma.shape == (*shape, PIXELS)
    assert rollout.initial_gamma.shape == (batch, components, PIXELS)
    torch.testing.assert_close(rollout.gamma.sum(-2), torch.ones_like(rollout.gamma[..., 0, :]))
    torch.testing.assert_close(
        rollout.initial_gamma.sum(1), torch.ones(batch, PIXELS, dtype=torch.double)
    )
    torch.testing.assert_close(rollout.psi, model.decode(rollout.theta, rollout.context))
    if guide.stochastic:
        assert rollout.context.shape == (*shape, CONTEXT)
        assert rollout.posterior.loc.shape == rollout.posterior.scale.shape == rollout.theta.shape
    else:
        assert rollout.context is rollout.posterior is None
        assert rollout.theta.min() >= 0
        assert rollout.theta.max() <= 1
    trace = poutine.trace(guide).get_trace(clip, rollout)
    assert trace.nodes["theta"]["value"].shape == (*stacked, steps, batch, 1, components, STATE)
    assert [name for name in trace.stochastic_nodes if name not in ("time", "batch")] == ["theta"]


@over_cases
@pytest.mark.parametrize(("components", "steps", "batch"), [(3, 3, 2), (1, 2, 2), (3, 1, 1)])
def test_finite_gradients_reach_every_parameter(name, bound, components, steps, batch):
    model, guide = build(name, components)
    terms = NEMObjective(model, guide, bound=bound)(make_clip(steps, batch), generator(), 0)
    assert terms.loss.isfinite()
    terms.loss.backward()
    for module in (model, guide):
        for parameter_name, parameter in module.named_parameters():
            # A vrnn's recurrence carries what it saw to the next step, and there may be none.
            if name == "vrnn" and steps == 1 and parameter_name.startswith("cell."):
                assert parameter.grad is None
                continue
            assert parameter.grad is not None, parameter_name
            assert parameter.grad.isfinite().all(), parameter_name


@over_cases
def test_components_can_be_permuted(name, bound, monkeypatch):
    """With the first responsibilities permuted, everything is permuted and the loss stays."""
    same_noise(monkeypatch)
    model, guide = build(name, 3)
    clip = make_clip(3, 2)
    order = torch.tensor([2, 0, 1])
    first = guide.start(2, generator())
    objective = NEMObjective(model, guide, bound=bound)
    rollouts, losses, gradients = [], [], []
    for state in (first, first._replace(gamma=first.gamma[:, order])):
        start_from(guide, state, monkeypatch)
        terms = objective(clip, update=0)
        rollouts.append(terms.rollout)
        losses.append(terms.loss)
        gradients.append(gradient_of(terms.loss, objective))
    torch.testing.assert_close(losses[0], losses[1])
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(rollouts[0].gamma[..., order, :], rollouts[1].gamma)
    torch.testing.assert_close(rollouts[0].psi[..., order, :, :], rollouts[1].psi)


@over_cases
def test_a_sequence_does_not_depend_on_its_neighbours(name, bound, monkeypatch):
    same_noise(monkeypatch)
    model, guide = build(name, 3)
    objective = NEMObjective(model, guide, bound=bound)
    clip = make_clip(3, 3)
    first = guide.start(3, generator())
    start_from(guide, first, monkeypatch)
    together = objective(clip, update=0)
    losses, gradients = [], []
    for b in range(3):
        alone = type(first)(*(None if part is None else part[b : b + 1] for part in first))
        start_from(guide, alone, monkeypatch)
        single = Clip(clip.inputs[:, b : b + 1], clip.targets[:, b : b + 1])
        found = objective(single, update=0)
        torch.testing.assert_close(found.rollout.psi, together.rollout.psi[..., b : b + 1, :, :, :])
        losses.append(found.loss)
        gradients.append(gradient_of(found.loss, objective))
    torch.testing.assert_close(torch.stack(losses).mean(), together.loss)
    torch.testing.assert_close(
        torch.stack(gradients).mean(0),
        gradient_of(together.loss, objective),
        rtol=1e-6,
        atol=1e-8,
    )


@pytest.mark.parametrize("name", DETERMINISTIC)
@pytest.mark.parametrize(
    "bound",
    [b for b in STOCHASTIC_OBJECTIVES if b.gradient != "standard" or b.divergence == "analytic"],
    ids=str,
)
def test_a_point_mass_has_no_density_to_differentiate(name, bound):
    with pytest.raises(ConfigError, match=r"point masses; use (standard|sampled), or the guide"):
        NEMObjective(*build(name, 2), bound=bound)


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_every_bound_of_a_point_mass_is_the_same(name):
    losses = []
    for bound in OBJECTIVES:
        terms = NEMObjective(*build(name, 3), bound=bound)(make_clip(3, 2), generator())
        losses.append(terms.loss)
    torch.testing.assert_close(torch.stack(losses), losses[0].expand(len(losses)))


@pytest.mark.parametrize("name", GUIDES)
def test_without_gradients_the_loss_is_the_same(name):
    for bound in OBJECTIVES:
        objective = NEMObjective(*build(name, 3), bound=bound, step_weights=(1.0, 0.0, 2.0))
        loss = objective(make_clip(3, 2), generator()).loss
        with torch.no_grad():
            silent = objective(make_clip(3, 2), generator()).loss
        torch.testing.assert_close(loss, silent)


@pytest.mark.parametrize("name", GUIDES)
def test_the_guide_does_not_own_the_models_parameters(name):
    model, guide = build(name, 2)
    owned = {id(p) for p in guide.parameters()}
    assert owned.isdisjoint(id(p) for p in model.parameters())
    assert not any("model" in key for key in guide.state_dict())


@pytest.mark.parametrize("name", GUIDES)
def test_the_generator_alone_decides_what_is_random(name):
    _, guide = build(name, 3)
    clip = make_clip(2, 2)
    one, two, other = (
        guide.rollout(clip, torch.Generator().manual_seed(seed), 2) for seed in (1, 1, 2)
    )
    assert torch.equal(one.theta, two.theta)
    assert torch.equal(one.initial_gamma, two.initial_gamma)
    assert not torch.equal(one.initial_gamma, other.initial_gamma)


@pytest.mark.parametrize("name", GUIDES)
def test_going_through_the_same_states_again_gives_the_same(name):
    _, guide = build(name, 3)
    clip = make_clip(3, 2)
    rollout = guide.rollout(clip, generator(), 2)
    again = guide.rescore(clip, rollout, rollout.theta)
    torch.testing.assert_close(again.gamma, rollout.gamma)
    torch.testing.assert_close(again.psi, rollout.psi)


@pytest.mark.parametrize("option", ["gradient_gamma", "gradient_psi"])
def test_dreg_needs_every_gradient_of_the_recurrence(option):
    model, guide = build("vrnn", 2)
    setattr(guide, option, False)
    with pytest.raises(ConfigError, match=f"VRNN has {option} off"):
        NEMObjective(model, guide, bound=BoundConfig("iwae", 2, "dreg"))
    NEMObjective(model, guide, bound=BoundConfig("iwae", 2, "stl"))


def test_a_gradient_estimator_needs_a_guide_that_can_be_scored_again():
    model, _ = build("vrnn", 2)
    guide = torch.nn.Linear(1, 1)
    with pytest.raises(ConfigError, match="Linear has no method rescore"):
        NEMObjective(model, guide, bound=BoundConfig("iwae", 2, "dreg"))
