"""The guide with stochastic states, against a variational recurrent network written by hand."""

import math

import pytest
import torch
from guide_zoo import CONTEXT, PIXELS, STATE, build, make_clip
from pyro.infer import Predictive

from inference import BoundConfig, NEMObjective, state_divergence
from inference.guides import VRNN, DrawnNormal, own_frame, recurrent
from inference.guides.views import look
from inference.regularisers import free_nats_penalty
from models import RecurrentPrior, SpatialMixture
from pyro_nem.errors import ConfigError
from pyro_nem.networks import GatedCell, LocatedDecoder

STEPS, BATCH, K = 3, 2, 2


def generator():
    return torch.Generator().manual_seed(5)


def log_normal(x, loc, scale):
    return -0.5 * ((x - loc) / scale) ** 2 - scale.log() - 0.5 * math.log(2 * math.pi)


def by_hand(model, guide, clip, noises, gamma):
    """log w of every sequence, [B], as equations: reconstruction and sampled KL, step by step."""
    prior = model.prior
    hidden = torch.zeros(BATCH, K, CONTEXT, dtype=torch.double)
    psi = torch.zeros(BATCH, K, PIXELS, 1, dtype=torch.double)
    total = torch.zeros(BATCH, dtype=torch.double)
    divergence = torch.zeros(BATCH, dtype=torch.double)

    def gaussian(raw, size):
        scale = torch.log1p(torch.exp(raw[..., size:] + 0.5413)) + 1e-3
        return raw[..., :size], scale

    for t in range(STEPS):
        seen = look(guide.views, clip.inputs[t], psi, gamma)
        features = guide.encoder(seen.flatten(0, 1)).view(BATCH, K, -1)
        p_loc, p_scale = gaussian(prior.head(prior.layers(hidden)), STATE)
        raw = guide.head(guide.layers(torch.cat([features, hidden], -1)))
        correction, q_scale = gaussian(raw, STATE)
        q_loc = p_loc + correction
        theta = q_loc + q_scale * noises[t]
        both = torch.cat([theta, hidden], -1)
        psi = model.decoder(both.flatten(0, 1)).view(BATCH, K, PIXELS, 1)
        p = psi.squeeze(-1).clamp(1e-6, 1 - 1e-6)
        x = clip.targets[t].squeeze(-1)[:, None]
        likelihood = x * p + (1 - x) * (1 - p)  # [B, K, D]
        gamma = likelihood / likelihood.sum(1, keepdim=True)
        total = total + likelihood.mean(1).log().sum(-1)
        total = total + log_normal(theta, p_loc, p_scale).sum((1, 2))
        total = total - log_normal(theta, q_loc, q_scale).sum((1, 2))
        kl = (p_scale / q_scale).log() + (q_scale**2 + (q_loc - p_loc) ** 2) / (2 * p_scale**2)
        divergence = divergence + (kl - 0.5).sum((1, 2))
        cell_input = torch.cat([features, theta], -1).flatten(0, 1)
        hidden = guide.cell.gru(cell_input, hidden.flatten(0, 1)).view(BATCH, K, CONTEXT)
    return total, divergence


def fixed_noises(monkeypatch):
    noises = torch.randn(STEPS, BATCH, K, STATE, generator=generator(), dtype=torch.double)

    def draw_with(_):
        remaining = iter(noises)
        return lambda law: law.loc + law.scale * next(remaining)

    monkeypatch.setattr(recurrent, "draw_with", draw_with)
    return noises


@pytest.mark.parametrize("objective", ["trace_enum", "elbo", "iwae"])
def test_bound_and_gradient_equal_the_hand_written_ones(objective, monkeypatch):
    model, guide = build("vrnn", K)
    clip = make_clip(STEPS, BATCH)
    noises = fixed_noises(monkeypatch)
    gamma = guide.start(BATCH, generator()).gamma
    nem = NEMObjective(model, guide, inter_weight=0.0, bound=BoundConfig(objective))
    ours = nem(clip, generator()).loss
    theirs = -by_hand(model, guide, clip, noises, gamma)[0].mean()
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    parameters = list(nem.parameters())
    pairs = zip(
        torch.autograd.grad(ours, parameters),
        torch.autograd.grad(theirs, parameters),
        strict=True,
    )
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9)


def test_divergence_in_closed_form_by_hand(monkeypatch):
    model, guide = build("vrnn", K)
    clip = make_clip(STEPS, BATCH)
    noises = fixed_noises(monkeypatch)
    gamma = guide.start(BATCH, generator()).gamma
    bound = BoundConfig(divergence="analytic")
    terms = NEMObjective(model, guide, inter_weight=0.0, bound=bound)(clip, generator())
    by_component = state_divergence(model, terms.rollout)
    assert by_component.shape == (STEPS, BATCH, K)
    _, kl = by_hand(model, guide, clip, noises, gamma)
    torch.testing.assert_close(by_component.sum((0, 2)), kl)
    torch.testing.assert_close(terms.parts.divergence.sum((0, 1)), kl)
    torch.testing.assert_close(terms.divergence, by_component)


def test_the_sampled_divergence_is_right_on_average():
    model, guide = build("vrnn", K)
    clip = make_clip(1, 1)
    clip = clip._replace(
        inputs=clip.inputs.expand(-1, 4000, -1, -1), targets=clip.targets.expand(-1, 4000, -1, -1)
    )
    sampled = NEMObjective(model, guide)(clip, generator()).parts.divergence.flatten()
    exact = state_divergence(model, guide.rollout(clip, generator())).sum(-1).flatten()
    # Each sequence starts from other responsibilities, so the two are compared pair by pair.
    difference = sampled - exact
    assert difference.mean().abs() < 4 * difference.std() / math.sqrt(4000)
    assert difference.std() > 0.1


def test_warm_up_and_free_nats_stand_beside_the_bound():
    losses = {}
    for name, options in {
        "plain": {},
        "warm-up": {"kl_warmup": 4},
        "free": {"free_nats": 1000.0},
    }.items():
        objective = NEMObjective(
            *build("vrnn", K), inter_weight=0.0, bound=BoundConfig(divergence="analytic", **options)
        )
        for update in (None, 0, 3):
            losses[name, update] = objective(make_clip(STEPS, BATCH), generator(), update)
    kl = losses["plain", None].divergence.sum((0, 2)).mean()
    for name in ("warm-up", "free"):
        torch.testing.assert_close(losses[name, None].loss, losses["plain", None].loss)
        for update in (0, 3):
            torch.testing.assert_close(
                losses[name, update].negative_bound, losses["plain", None].loss
            )
    warm = losses["warm-up", 0].loss
    torch.testing.assert_close(warm, losses["plain", None].loss - 0.75 * kl)
    torch.testing.assert_close(losses["warm-up", 3].loss, losses["plain", None].loss)
    # With more free nats than there are, the KL is replaced by a constant.
    free = losses["free", 0].loss - (losses["plain", None].loss - kl)
    torch.testing.assert_close(free, torch.tensor(1000.0 * STEPS * K, dtype=torch.double))


@pytest.mark.parametrize(
    ("options", "update", "adjusted"),
    [
        ({"kl_warmup": 4}, 2, True),
        ({"kl_warmup": 4}, 3, False),
        ({"free_nats": 0.1}, 9, True),
        ({"free_nats": 0.1}, None, False),
    ],
)
def test_the_kl_has_a_gradient_where_the_loss_has_it(options, update, adjusted):
    objective = NEMObjective(*build("vrnn", 2), bound=BoundConfig(**options))
    terms = objective(make_clip(2, 2), generator(), update)
    assert terms.divergence.requires_grad == adjusted


def test_warm_up_and_free_nats_together_reward_no_divergence():
    """The loss grows with the KL, or does not depend on it; it never falls."""
    for update in (0, 1, 3):
        for free_nats in (0.0, 0.1, 1000.0):
            bound = BoundConfig(divergence="analytic", kl_warmup=4, free_nats=free_nats)
            model, guide = build("vrnn", K)
            objective = NEMObjective(model, guide, inter_weight=0.0, bound=bound)
            terms = objective(make_clip(STEPS, BATCH), generator(), update)
            likelihood = terms.parts.log_likelihood.sum((0, 1)).mean()
            weighed = (terms.loss + likelihood).item()
            kept = terms.divergence.clamp(min=free_nats).sum((0, 2)).mean().item()
            assert weighed == pytest.approx((update + 1) / 4 * kept)


def test_free_nats_by_hand():
    kl = torch.tensor([[0.2, 3.0], [1.0, 0.0]])
    torch.testing.assert_close(free_nats_penalty(kl, 0.5), torch.tensor([0.3, 0.5]))


def test_imagination_takes_states_from_the_prior_and_frames_from_itself():
    model, guide = build("vrnn", K)
    clip = make_clip(STEPS, BATCH)
    seen, imagined = guide.imagine(clip, 2, generator())
    assert seen.theta.shape[0] == STEPS
    assert imagined.psi.shape == (2, BATCH, K, PIXELS, 1)
    prior = model.prior.law(imagined.context)
    torch.testing.assert_close(imagined.theta, prior.loc)
    torch.testing.assert_close(imagined.posterior.scale, prior.scale)
    _, sampled = guide.imagine(clip, 2, generator(), sample=True)
    assert not torch.allclose(sampled.theta, model.prior.law(sampled.context).loc)


def test_an_imagined_step_is_a_step_on_the_own_frame():
    _, guide = build("rnn-em, located", K)
    clip = make_clip(STEPS, BATCH)
    state = guide.start(BATCH, generator())
    for t in range(STEPS):
        state = guide.step(state, clip.inputs[t], clip.targets[t])
    frame = (state.gamma[..., None] * state.psi).sum(1)
    torch.testing.assert_close(own_frame(state), frame)
    after = guide.step(state, frame, None)
    on = (after.psi.amax(1) > 0.1).double()
    likelihood = torch.where(on[:, None] > 0.5, after.psi, 1 - after.psi).squeeze(-1)
    torch.testing.assert_close(after.gamma, likelihood / likelihood.sum(1, keepdim=True))
    _, imagined = guide.imagine(clip, 1, generator())
    torch.testing.assert_close(imagined.psi[0], after.psi)


def test_the_program_runs_alone_for_one_step_only():
    model, guide = build("vrnn", K)
    draws = Predictive(model, num_samples=3)(steps=1, batch=2)
    assert draws["x"].shape == (3, 1, 2, PIXELS, 1)
    assert draws["theta"].shape == (3, 1, 2, 1, K, STATE)
    with pytest.raises(ConfigError, match=r"rollout: the prior of 2 steps .* guide.imagine"):
        model(steps=2)
    clip = make_clip(2, 2)
    posterior = Predictive(model, guide=guide, num_samples=3)(clip, guide.rollout(clip))
    assert posterior["z"].shape == (3, 2, 2, PIXELS)


def test_a_drawn_normal_is_a_normal_that_gives_its_draw():
    loc, scale, value = torch.randn(3, 4, 2).unbind(0)
    law = DrawnNormal(loc, scale.exp(), value).expand((5, 4, 2))
    assert torch.equal(law.rsample(), value.expand(5, 4, 2))
    assert torch.equal(law.sample(), law.rsample())
    torch.testing.assert_close(
        law.log_prob(value),
        torch.distributions.Normal(loc, scale.exp()).log_prob(value).expand(5, 4, 2),
    )


def test_models_and_cells_that_do_not_fit_are_refused():
    other, _ = build("rnn-em, located", 2)
    with pytest.raises(ConfigError, match="got UniformPrior; build the model with") as refusal:
        VRNN(other)
    # What the message asks for is a model that fits.
    sizes = f"state_size + context_size is the decoder's state_size, {other.decoder.state_size}"
    assert str(refusal.value).endswith(sizes)
    prior = RecurrentPrior(3, other.decoder.state_size - 3)
    VRNN(SpatialMixture(other.decoder, 2, prior=prior))
    model, _ = build("vrnn", 2)
    with pytest.raises(ConfigError, match="cell: carries a state of size 7"):
        VRNN(model, cell=GatedCell(128 + STATE, 7))
    with pytest.raises(ConfigError, match="has to hold theta and the prior's context of size 9"):
        SpatialMixture(LocatedDecoder((8, 8, 1), 9, template=3), 2, prior=RecurrentPrior(3, 9))
    with pytest.raises(ConfigError, match="context_size: expected at least 1, got 0"):
        RecurrentPrior(3, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"particles": 0}, "particles: expected at least 1"),
        ({"kl_warmup": -1}, "kl_warmup: expected 0 or more"),
        ({"free_nats": -1.0}, "free_nats: expected a number"),
        ({"objective": "trace_enum", "gradient": "stl"}, "trace_enum has gradient standard"),
        ({"objective": "iwae", "kl_warmup": 5}, "has no KL of its own"),
        ({"objective": "iwae", "free_nats": 0.5}, "has no KL of its own"),
    ],
)
def test_bad_settings_of_a_bound(options, message):
    with pytest.raises(ConfigError, match=message):
        BoundConfig(**options)


def test_contradictions_in_a_bound_show_before_training():
    dreg = BoundConfig("iwae", 2, "dreg")
    with pytest.raises(ConfigError, match="step weights"):
        NEMObjective(*build("vrnn", 2), bound=dreg, step_weights="last")
    with pytest.raises(ConfigError, match="dreg is an estimator of iwae"):
        NEMObjective(*build("vrnn", 2), bound=BoundConfig("elbo", gradient="dreg"))
