"""Systematic resampling, and the bound of resampled particles against one written out."""

import pytest
import torch
from small_sequences import LATENT, LENGTHS, batch_of, build

from inference import BoundConfig, combine
from inference.sequences import (
    SequenceObjective,
    SystematicResampling,
    combine_resampled,
    posterior,
)

pytestmark = pytest.mark.usefixtures("double_precision")

S, BATCH, STEPS = 4, len(LENGTHS), max(LENGTHS)


def always(batch):
    return torch.ones(batch).bool()


def test_each_particle_has_its_share_of_descendants():
    log_weights = 2.0 * torch.randn(16, 500)
    found = SystematicResampling(1.0)(log_weights, always(500))
    assert found.happened.all()
    weights = 16 * log_weights.softmax(0)
    for s in range(16):
        descendants = (found.ancestors == s).sum(0)
        assert (descendants >= weights[s].floor()).all()
        assert (descendants <= weights[s].ceil()).all()


def test_descendants_are_as_many_as_the_weight_on_average():
    log_weights = torch.tensor([0.0, 1.0, -2.0])[:, None].expand(3, 20_000)
    found = SystematicResampling(1.0)(log_weights, always(20_000))
    for s in range(3):
        descendants = (found.ancestors == s).sum(0).double()
        error = descendants.std() / 20_000**0.5
        assert (descendants.mean() - 3 * log_weights[:, 0].softmax(0)[s]).abs() < 4 * error


def test_it_happens_only_where_few_particles_carry_the_weight():
    log_weights = torch.tensor([[0.0, 0.0, 0.0], [0.0, -1.0, -9.0], [0.0, -2.0, -9.0]])
    effective = 1 / log_weights.softmax(0).square().sum(0)
    assert 1.5 < effective[1] < 3
    for threshold, expected in ((0.5, [False, False, True]), (0.9, [False, True, True])):
        found = SystematicResampling(threshold)(log_weights, always(3))
        assert found.happened.tolist() == expected
        kept = found.ancestors[:, ~found.happened]
        assert torch.equal(kept, torch.arange(3)[:, None].expand_as(kept))
    found = SystematicResampling(0.9)(log_weights, torch.tensor([True, True, False]))
    assert found.happened.tolist() == [False, True, False]


def test_one_particle_with_all_the_weight_is_everyones_ancestor():
    log_weights = torch.full((4, 2), -1000.0)
    log_weights[3, 0] = log_weights[0, 1] = 0.0
    found = SystematicResampling()(log_weights, always(2))
    assert found.ancestors.T.tolist() == [[3] * 4, [0] * 4]


def test_without_resampling_the_bound_is_that_of_iwae_over_whole_sequences():
    added = torch.randn(S, 6, BATCH)
    never = torch.zeros(6, BATCH).bool()
    expected = added.sum(1).exp().mean(0).log()
    torch.testing.assert_close(combine_resampled(added, never), expected)
    # Published code divides by T before it weights, which makes the weights almost equal.
    assert not torch.allclose(combine("iwae", added.mean(1)) * 6, expected)


def test_segments_multiply():
    added = torch.randn(S, 5, 2)
    resampled = torch.tensor([[0, 1], [1, 1], [0, 0], [0, 0], [0, 1]]).bool()
    first = added[:, :2, 0].sum(1).exp().mean().log() + added[:, 2:, 0].sum(1).exp().mean().log()
    second = sum(part.sum(1).exp().mean().log() for part in added[..., 1].split([1, 1, 3], 1))
    found = combine_resampled(added, resampled)
    torch.testing.assert_close(found, torch.stack([first, second]))


def test_the_best_particle_of_a_segment_is_the_heaviest():
    """In published code it is the worst one, as weights are made of losses and differentiated."""
    added = torch.randn(S, 5, 2).requires_grad_()
    resampled = torch.zeros(5, 2).bool()
    resampled[2] = True
    (gradient,) = torch.autograd.grad(combine_resampled(added, resampled).sum(), added)
    parts = added.detach().split([3, 2], 1)
    weights = torch.cat([p.sum(1, keepdim=True).softmax(0).expand_as(p) for p in parts], 1)
    torch.testing.assert_close(gradient, weights)
    assert torch.equal(gradient[:, 0].argmax(0), parts[0].sum(1).argmax(0))


def log_normal(x, law):
    return torch.distributions.Normal(*law).log_prob(x).sum(-1)


def fivo_by_hand(model, guide, x, noise, u, threshold):
    """Algorithm 1 of Maddison et al. (2017) for one sequence, particle by particle."""
    states = [model.initial(1) for _ in range(S)]
    weights = torch.full((S,), 1 / S)  # of the particles, normalised
    total, happened = torch.zeros(()), []
    for t, x_t in enumerate(x):
        read = model.read(x_t)[None]
        factors = []
        for s in range(S):
            h = states[s].hidden
            q = guide.law(t, read, h, torch.ones(len(read), dtype=bool))
            z = q.loc + q.scale * noise[s, t]
            p = model.law_of_steps.law(model.decode(z, h)).log_prob(x_t)
            factors.append(p + log_normal(z, model.prior_law(h)) - log_normal(z, q))
            states[s] = model.advance(states[s], read, z)
        joint = weights * torch.cat(factors).exp()
        total = total + joint.sum().log()
        weights = joint / joint.sum()
        fixed = weights.detach()
        happened.append(t + 1 < len(x) and (1 / (fixed**2).sum() < threshold * S).item())
        if happened[-1]:
            edges = fixed.cumsum(0).tolist()
            chosen = [next(i for i, e in enumerate(edges) if e >= (s + u) / S) for s in range(S)]
            states = [states[i] for i in chosen]
            weights = torch.full((S,), 1 / S)
    return total, happened


@pytest.mark.parametrize("threshold", [0.8, 1.0])
@pytest.mark.parametrize("residual", [True, False])
def test_the_resampled_bound_and_its_gradient_equal_those_written_out(
    threshold, residual, monkeypatch
):
    model, guide = build(residual=residual)
    for parameter in guide.head.parameters():
        parameter.data.mul_(2.0)
    batch = batch_of()
    noise = torch.randn(S, STEPS, BATCH, LATENT)
    rows = noise.transpose(0, 1).flatten(1, 2)
    monkeypatch.setattr(posterior, "standard_normal", lambda shape, like, g: rows)
    monkeypatch.setattr(torch, "rand", lambda n, **options: torch.full((n,), 0.37))
    objective = SequenceObjective(model, guide, bound=BoundConfig("fivo", S, resample=threshold))
    terms = objective(batch)
    found = [
        fivo_by_hand(model, guide, batch.x[:t, b], noise[:, :t, b], 0.37, threshold)
        for b, t in enumerate(LENGTHS)
    ]
    expected = torch.stack([total for total, _ in found])
    for b, (_, happened) in enumerate(found):
        assert terms.rollout.resampled[: LENGTHS[b], b].tolist() == happened
    assert 0 < sum(map(sum, (h for _, h in found))) <= sum(LENGTHS) - 3
    torch.testing.assert_close(terms.bound, expected)
    parameters = list(objective.parameters())
    ours = torch.autograd.grad(terms.bound.sum(), parameters)
    theirs = torch.autograd.grad(expected.sum(), parameters)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9)
