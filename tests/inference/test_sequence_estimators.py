"""Estimators of the gradient of sequence models, against their papers' formulas written out."""

import copy

import pytest
import torch
from small_sequences import batch_of, build
from torch.distributions import Normal

from inference import BoundConfig
from inference.sequences import SequenceObjective

PARTICLES = 3
VARIANTS = {
    "plain": {"residual": False},
    "residual": {},
    "independent prior": {"independent_prior": True},
    "smoothing": {"smoothing": True},
}


def generator():
    return torch.Generator().manual_seed(3)


def gradients(value, inputs):
    return torch.autograd.grad(
        value, inputs, retain_graph=True, allow_unused=True, materialize_grads=True
    )


def densities(model, guide, batch, z):
    """log p(x, z) and log q(z) of latents [S, T, B, H], [S, B] each."""
    rollout = guide.rescore(batch, z)
    prior = Normal(*model.prior_law(rollout.context)).log_prob(z).sum(-1)
    likelihood = model.step_laws(batch, z, rollout.context).log_prob(batch.x)
    posterior = Normal(*rollout.posterior).log_prob(z).sum(-1)
    return ((likelihood + prior) * batch.mask).sum(1), (posterior * batch.mask).sum(1)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("name", "gradient"), [("iwae", "dreg"), ("elbo", "stl"), ("iwae", "stl")])
def test_estimators_have_the_gradients_of_their_papers(variant, name, gradient):
    """Roeder et al. (2017) leave out the score of q; Tucker et al. (2018) square the weights.

    The latents are where the parameters of the draws end: what stands behind is differentiated by
    the latents, with the weights of the estimator, and p by its own parameters, with those of the
    bound. q is that of a copy, so that its own parameters have no gradient.
    """
    model, guide = build(**VARIANTS[variant])
    batch = batch_of()
    objective = SequenceObjective(model, guide, bound=BoundConfig(name, PARTICLES, gradient))
    parameters = list(objective.parameters())
    found = gradients(objective(batch, generator()).bound.sum(), parameters)

    # Together, so that the guide's copy reads the model's.
    other_model, other_guide = copy.deepcopy((model, guide))
    drawn = guide.rollout(batch, generator(), PARTICLES).z
    z = drawn.detach().requires_grad_()
    log_p, _ = densities(model, guide, batch, z)
    _, log_q = densities(other_model, other_guide, batch, z)
    log_weights = log_p - log_q
    share = torch.full_like(log_weights, 1 / PARTICLES)
    if name == "iwae":
        share = log_weights.detach().softmax(0)
    (by_latents,) = gradients(
        ((share**2 if gradient == "dreg" else share) * log_weights).sum(), [z]
    )
    through_draws = gradients((by_latents * drawn).sum(), parameters)
    of_p = gradients((share * log_p).sum(), parameters)
    for ours, one, two in zip(found, through_draws, of_p, strict=True):
        torch.testing.assert_close(ours, one + two, rtol=1e-9, atol=1e-11)
    assert sum(part.abs().sum() for part in through_draws) > 0


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("particles", [1, PARTICLES])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_models_second_run_needs_no_posterior(variant, particles, monkeypatch):
    """Without it value and gradient are the same, and the guide runs once less."""
    model, guide = build(**VARIANTS[variant])
    batch = batch_of()
    objective = SequenceObjective(model, guide, bound=BoundConfig("iwae", particles, "dreg"))
    parameters = list(objective.parameters())
    laws, readings = [], []

    def count(kept, original):
        return lambda *args: kept.append(None) or original(*args)

    monkeypatch.setattr(guide, "law", count(laws, guide.law))
    if guide.reader is not None:
        monkeypatch.setattr(guide.reader, "forward", count(readings, guide.reader.forward))

    def run():
        laws.clear()
        readings.clear()
        bound = objective(batch, generator()).bound
        return bound, gradients(bound.sum(), parameters), len(laws), len(readings)

    *found, asked, read = run()
    monkeypatch.setattr(
        "inference.sequences.objective.unroll_at",
        lambda model, batch, features, z: guide.rescore(batch, z),
    )
    *expected, asked_before, read_before = run()
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)
    assert (asked, asked_before) == (2 * len(batch.x), 3 * len(batch.x))
    assert (read, read_before) == ((2, 3) if guide.reader is not None else (0, 0))
