"""Scores of frames and components, against sums written out, and the importance-weighted bound."""

import math

import numpy as np
import pytest
import torch
from guide_zoo import PIXELS, build, make_clip

from inference import (
    BoundConfig,
    EnumeratedBound,
    NEMObjective,
    evaluate,
    importance_weighted,
    state_divergence,
)
from inference.frame_scores import (
    bound_scores,
    collision_scores,
    component_scores,
    sampled_terms,
)
from inference.streams import Stream, update_seed
from models import Rollout
from pyro_nem.data import ArrayFrames, Noise
from pyro_nem.errors import ConfigError

SILENT = Noise("none")


def generator():
    return torch.Generator().manual_seed(5)


def frames(sequences=6, steps=3):
    random = np.random.default_rng(0)
    features = random.integers(0, 2, (steps + 1, sequences, 8, 8, 1), np.uint8)
    return ArrayFrames(features, random.integers(0, 3, features.shape, np.uint8))


def test_collisions_are_scored_at_their_own_frame():
    psi = torch.full((2, 1, 2, 4, 1), 0.25)
    psi[1] = 0.5
    clip = make_clip(2, 1)._replace(targets=torch.ones(2, 1, 4, 1))
    collided = torch.zeros(2, 1, 4)
    gamma = torch.full((2, 1, 2, 4), 0.5)
    rollout = Rollout(gamma[..., :1], psi, gamma, gamma[0])
    assert np.isnan(collision_scores(rollout, clip, collided)).all()
    collided[1, 0, :3] = 1
    found = collision_scores(rollout, clip, collided)
    assert math.isnan(found[0, 0])
    assert found[1, 0] == pytest.approx(3 * math.log(2))


def test_components_are_ordered_by_what_they_explain():
    gamma = torch.zeros(1, 2, 3, 4)  # [T, B, K, D]
    gamma[:, 0, 2, :3] = gamma[:, 0, 0, 3:] = 1.0
    gamma[:, 1, 1] = 1.0
    groups = torch.tensor([[[1, 1, 2, 2], [0, 0, 0, 1]]])
    divergence = torch.tensor([[[5.0, 0.1, 7.0], [0.0, 3.0, 0.2]]])
    rollout = Rollout(gamma[..., :1], gamma[..., None], gamma, gamma[0])
    found = component_scores(rollout, divergence, groups)
    np.testing.assert_allclose(found["component_share"], [[0.75, 1.0], [0.25, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(found["component_kl"][:2, 0], [7.0, 5.0])
    np.testing.assert_allclose(found["component_kl"][0, 1], 3.0)
    # Two particles are averaged.
    doubled = rollout._replace(gamma=torch.stack([gamma, gamma]))
    again = component_scores(doubled, torch.stack([divergence, 3 * divergence]), groups)
    np.testing.assert_allclose(again["component_kl"], 2 * found["component_kl"])


@pytest.mark.parametrize("bound", [BoundConfig(particles=3), BoundConfig("trace_enum", 3)], ids=str)
def test_the_parts_of_the_bound_add_up(bound):
    objective = NEMObjective(*build("vrnn", 2), inter_weight=0.0, bound=bound)
    clip = make_clip(3, 2)
    terms = objective(clip, generator())
    found = bound_scores(objective, clip, terms)
    assert all(values.shape == (3, 2) for values in found.values())
    torch.testing.assert_close(-found["bound"].sum(0).mean(), terms.loss.detach().numpy()[()])
    exact = state_divergence(objective.model, terms.rollout).sum(-1).mean(0)
    np.testing.assert_allclose(found["kl"], exact.detach())


def test_a_bound_trained_in_closed_form_is_scored_at_the_draws():
    sampled, analytic = (
        evaluate(
            NEMObjective(*build("vrnn", 2), bound=BoundConfig(divergence=divergence)),
            frames(),
            noise=SILENT,
        ).metrics
        for divergence in ("sampled", "analytic")
    )
    for name in ("bound", "kl", "log_likelihood", "prior_bce"):
        assert sampled[name] == analytic[name]
    assert sampled["loss"] != analytic["loss"]


def test_the_importance_weighted_bound_by_hand():
    objective = NEMObjective(*build("vrnn", 2), bound=BoundConfig(divergence="analytic"))
    data = frames()
    found = importance_weighted(objective, data, particles=4, noise=SILENT, rows_at_once=8)
    assert found.iwae.shape == found.elbo.shape == (6,)
    assert (found.iwae > found.elbo).all()
    clip_frames = torch.from_numpy(data.read(0, 2)[0].astype(np.float64)).flatten(2, 3)
    clip = make_clip(3, 2)._replace(inputs=clip_frames[:-1], targets=clip_frames[1:])
    seeded = torch.Generator().manual_seed(update_seed(0, Stream.BOUNDS, 0))
    rollout = objective.guide.rollout(clip, seeded, 4)
    bound = EnumeratedBound("iwae", particles=4, max_plate_nesting=3)
    weights = bound.log_weights(objective.model, objective.guide, clip, rollout)
    torch.testing.assert_close(
        found.iwae[:2], (weights.exp().mean(0).log() / 3).detach(), rtol=1e-6, atol=1e-6
    )
    likelihood = sampled_terms(objective, clip, rollout).log_likelihood.sum(1)  # [S, B]
    predictive = likelihood.exp().mean(0).log() / 3
    torch.testing.assert_close(found.predictive[:2], predictive.detach(), rtol=1e-6, atol=1e-6)
    assert len(importance_weighted(objective, data, particles=3, sequences=4).iwae) == 4
    single = importance_weighted(objective, data, particles=1, sequences=2)
    torch.testing.assert_close(single.iwae, single.elbo)


def test_the_predictive_likelihood_of_point_masses_is_exact():
    objective = NEMObjective(*build("rnn-em, located", 2))
    found = importance_weighted(objective, frames(), particles=4, noise=SILENT)
    torch.testing.assert_close(found.predictive, found.iwae)
    clip_frames = torch.from_numpy(frames().read(0, 6)[0].astype(np.float64)).flatten(2, 3)
    clip = make_clip(3, 6)._replace(inputs=clip_frames[:-1], targets=clip_frames[1:])
    rollout = objective.guide.rollout(
        clip, torch.Generator().manual_seed(update_seed(0, Stream.BOUNDS, 0))
    )
    psi = rollout.psi.mean(2)  # [T, B, D, C]: K is even and z uniform
    expected = torch.distributions.Bernoulli(psi).log_prob(clip.targets).sum((0, 2, 3)) / 3
    torch.testing.assert_close(found.predictive, expected.detach(), rtol=1e-6, atol=1e-6)


def test_point_masses_are_drawn_once_and_read_the_noise_of_a_stochastic_guide(monkeypatch):
    """Two sequences of four draws fill eight rows, as do eight sequences of one."""
    read = {}
    for name in ("vrnn", "rnn-em, located"):
        objective = NEMObjective(*build(name, 2))
        clips, rollout = [], objective.guide.rollout

        def spied(clip, generator, particles, clips=clips, rollout=rollout):
            clips.append(clip)
            return rollout(clip, generator, particles)

        monkeypatch.setattr(objective.guide, "rollout", spied)
        found = importance_weighted(objective, frames(9), particles=4, rows_at_once=8)
        assert len(found.iwae) == 9
        sizes = [clip.inputs.shape[1] for clip in clips]
        assert (found.particles, sizes) == ((4, [2, 2, 2, 2, 1]) if name == "vrnn" else (1, [8, 1]))
        read[name] = [torch.cat([clip[side] for clip in clips], 1) for side in (0, 1)]
    for one, two in zip(*read.values(), strict=True):
        assert torch.equal(one, two)


def test_the_frame_that_is_predicted_is_not_seen():
    """What makes the likelihood predictive: a later frame changes no earlier state."""
    for name in ("rnn-em, located", "vrnn"):
        objective = NEMObjective(*build(name, 2))
        clip = make_clip(3, 2)
        other = clip._replace(targets=torch.cat([clip.targets[:2], 1 - clip.targets[2:]]))
        rollouts = [
            objective.guide.rollout(each, torch.Generator().manual_seed(0))
            for each in (clip, other)
        ]
        torch.testing.assert_close(rollouts[0].psi, rollouts[1].psi, rtol=0, atol=0)
        assert (rollouts[0].gamma[2] != rollouts[1].gamma[2]).any()


def test_only_the_first_sequences_are_scored():
    objective = NEMObjective(*build("rnn-em, located", 2))
    few = evaluate(objective, frames(), sequences=2, batch_size=2, noise=SILENT)
    assert few.sequences == 2
    assert evaluate(objective, frames(), sequences=3, batch_size=2, noise=SILENT).sequences == 3
    whole = evaluate(objective, frames(2), batch_size=2, noise=SILENT)
    assert few.metrics["loss"] != whole.metrics["loss"]  # other random frames
    for name in ("particles", "sequences"):
        with pytest.raises(ConfigError, match=f"{name}: expected at least 1, got 0"):
            evaluate(objective, frames(), **{name: 0})
        with pytest.raises(ConfigError, match=f"{name}: expected at least 1, got 0"):
            importance_weighted(objective, frames(), **{name: 0})


def test_a_component_that_sees_nothing_costs_nothing_in_the_end():
    """Trained on frames without an object, every state's KL goes to zero."""
    torch.manual_seed(0)
    model, guide = build("vrnn", 2)
    objective = NEMObjective(model, guide, bound=BoundConfig(divergence="analytic"))
    optimizer = torch.optim.Adam(objective.parameters(), lr=0.01)
    black = make_clip(2, 4)
    black = black._replace(inputs=0 * black.inputs, targets=0 * black.targets)
    divergences = []
    for update in range(60):
        optimizer.zero_grad()
        terms = objective(black, torch.Generator().manual_seed(update))
        terms.loss.backward()
        optimizer.step()
        divergences.append(terms.divergence.mean().item())
    assert divergences[-1] < 0.1 * divergences[0]
    assert terms.rollout.psi.shape[-2] == PIXELS
