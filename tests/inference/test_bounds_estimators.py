"""Bounds and their gradients where the truth is known, or where many draws show it.

toy: enumerated z [2, (1,) 1], x and y [N] copies (batch, -1); theta one number
"""

import math

import pyro
import pyro.distributions as dist
import pytest
import torch
from torch import nn

from inference import EnumeratedBound, combine

pytestmark = pytest.mark.usefixtures("double_precision")

X, Y, SIGMA = 1.3, 0.4, 0.5
SUM_OUT = {"enumerate": "parallel"}
LOG_PI = torch.tensor([0.3, 0.7], dtype=torch.double).log()
MARKS = torch.tensor([-1.0, 1.0], dtype=torch.double)


class Toy(nn.Module):
    """Copies of theta ~ N(0, 1), x ~ N(slope_z theta + offset_z, sigma), y ~ N(mark_z, 1).

    Every copy has parameters of its own, so that one backward pass gives a gradient for each.
    """

    def __init__(self, copies, slopes, offsets):
        super().__init__()
        self.slopes, self.offsets = (torch.tensor(part) for part in (slopes, offsets))
        self.shift = nn.Parameter(torch.zeros(copies))

    def forward(self):
        copies = len(self.shift)
        with pyro.plate("batch", copies, dim=-1):
            theta = pyro.sample("theta", dist.Normal(0.0, 1.0))
            z = pyro.sample("z", dist.Categorical(logits=LOG_PI), infer=SUM_OUT)
            mean = self.slopes[z] * theta + self.offsets[z] + self.shift
            pyro.sample("x", dist.Normal(mean, SIGMA), obs=torch.full((copies,), X))
            pyro.sample("y", dist.Normal(MARKS[z], 1.0), obs=torch.full((copies,), Y))

    def log_evidence(self):
        spread = (self.slopes**2 + SIGMA**2).sqrt()
        joint = LOG_PI + dist.Normal(self.offsets, spread).log_prob(torch.tensor(X))
        return (joint + dist.Normal(MARKS, 1.0).log_prob(torch.tensor(Y))).logsumexp(0)


class ToyGuide(nn.Module):
    def __init__(self, copies, loc, scale):
        super().__init__()
        self.loc = nn.Parameter(torch.full((copies,), loc))
        self.log_scale = nn.Parameter(torch.full((copies,), math.log(scale)))

    def forward(self):
        with pyro.plate("batch", len(self.loc), dim=-1):
            pyro.sample("theta", dist.Normal(self.loc, self.log_scale.exp()))


def toy(copies):
    """A mixture whose posterior has two modes, and a Gaussian far from both."""
    return Toy(copies, [1.0, -0.6], [0.5, 0.1]), ToyGuide(copies, -0.4, 0.9)


def log_weights(programs, particles, seed=0, bound="iwae", gradient="standard"):
    elbo = EnumeratedBound(bound, particles=particles, gradient=gradient, max_plate_nesting=1)
    torch.manual_seed(seed)
    return elbo.log_weights(*programs)


def copies_of_the_gradient(programs, particles, bound, gradient, seed=0):
    """The gradient of every copy, by parameter: shift, loc, log_scale, [3, N]."""
    values = combine(bound, log_weights(programs, particles, seed, bound, gradient))
    parameters = [p for program in programs for p in program.parameters()]
    return torch.stack(torch.autograd.grad(values.sum(), parameters))


def z_score(draws):
    """The mean of draws [..., N] in units of its standard error."""
    return draws.mean(-1) / (draws.std(-1) / draws.shape[-1] ** 0.5)


def test_bounds_rise_to_the_evidence():
    programs = toy(20_000)
    weights = [log_weights(programs, s, seed=s).detach() for s in (1, 2, 6, 18)]
    truth = programs[0].log_evidence()
    for part in weights:  # E[w] = p(x, y)
        assert abs(z_score((part - truth).exp().mean(0) - 1.0)) < 4
    bounds = [combine("elbo", weights[-1]), *(combine("iwae", part) for part in weights[1:])]
    torch.testing.assert_close(combine("vae", weights[-1]), bounds[0])
    torch.testing.assert_close(combine("iwae", weights[0]), combine("elbo", weights[0]))
    for lower, higher in zip(bounds, [*bounds[1:], truth.expand(2)], strict=True):
        gap = higher.mean() - lower.mean()
        error = (lower.var() / len(lower) + higher.var() / len(higher)).sqrt()
        assert gap > 4 * error


def test_all_bounds_of_the_exact_posterior_are_the_evidence():
    copies, slope, offset = 5, 1.2, 0.3
    variance = slope**2 + SIGMA**2
    loc = slope * (X - offset) / variance
    programs = (
        Toy(copies, [slope, slope], [offset, offset]),
        ToyGuide(copies, loc, SIGMA / variance**0.5),
    )
    weights = log_weights(programs, 7)
    torch.testing.assert_close(weights, programs[0].log_evidence().expand(7, copies))
    for bound, gradient in (("elbo", "stl"), ("iwae", "stl"), ("iwae", "dreg")):
        guide_gradient = copies_of_the_gradient(programs, 7, bound, gradient)[1:]
        torch.testing.assert_close(guide_gradient, torch.zeros(2, copies))
        assert copies_of_the_gradient(programs, 7, bound, "standard")[1:].abs().min() > 1e-3


def test_dreg_has_no_bias_and_less_variance_for_the_guide():
    programs = toy(100_000)
    standard, dreg = (
        copies_of_the_gradient(programs, 5, "iwae", name) for name in ("standard", "dreg")
    )
    assert z_score(standard).abs().min() > 20
    torch.testing.assert_close(dreg[0], standard[0])
    assert z_score(dreg[1:] - standard[1:]).abs().max() < 4
    assert (dreg[1:].var(-1) < 0.5 * standard[1:].var(-1)).all()


def test_stl_has_no_bias_for_a_mean_of_log_weights_but_for_iwae():
    programs = toy(100_000)
    for bound, particles in (("elbo", 1), ("elbo", 5), ("vae", 5), ("iwae", 1)):
        standard, stl = (
            copies_of_the_gradient(programs, particles, bound, name) for name in ("standard", "stl")
        )
        torch.testing.assert_close(stl[0], standard[0])
        assert not torch.allclose(stl[1:], standard[1:])
        assert z_score(stl[1:] - standard[1:]).abs().max() < 4
    # Tucker et al. (2018), section 4: with several particles stl is biased for iwae.
    standard, stl = (
        copies_of_the_gradient(programs, 5, "iwae", name) for name in ("standard", "stl")
    )
    assert z_score(stl[1:] - standard[1:]).abs().min() > 20


def test_with_one_particle_dreg_is_stl():
    programs = toy(5)
    dreg, stl = (copies_of_the_gradient(programs, 1, "iwae", name) for name in ("dreg", "stl"))
    torch.testing.assert_close(dreg, stl)


def test_a_guide_that_is_not_trained():
    model, guide = toy(5)
    standard = copies_of_the_gradient((model, guide), 3, "iwae", "standard")[0]
    guide.requires_grad_(False)
    for name in ("stl", "dreg"):
        values = combine("iwae", log_weights((model, guide), 3, 0, "iwae", name))
        torch.testing.assert_close(torch.autograd.grad(values.sum(), model.shift)[0], standard)
    assert not any(p.requires_grad for p in guide.parameters())


@pytest.mark.parametrize("gradient", ["standard", "dreg"])
def test_the_other_ways_that_pyro_asks_for_a_loss(gradient):
    programs = toy(5)
    bound = EnumeratedBound("iwae", particles=3, gradient=gradient, max_plate_nesting=1)
    expected = copies_of_the_gradient(programs, 3, "iwae", gradient)
    torch.manual_seed(0)
    loss = bound.loss_and_grads(*programs)
    found = torch.stack([p.grad for program in programs for p in program.parameters()])
    torch.testing.assert_close(found, -expected)
    torch.manual_seed(0)
    assert bound.loss(*programs) == pytest.approx(loss, rel=1e-12)


def test_the_best_particle_gets_the_largest_weight():
    weights = torch.tensor([[-3.0, 800.0], [1.0, 0.0], [0.5, 799.0]])
    weights.requires_grad_()
    (gradient,) = torch.autograd.grad(combine("iwae", weights).sum(), weights)
    torch.testing.assert_close(gradient, weights.softmax(0))
    assert torch.equal(gradient.argmax(0), torch.tensor([1, 0]))
    (gradient,) = torch.autograd.grad(combine("elbo", weights).sum(), weights)
    torch.testing.assert_close(gradient, torch.full_like(weights, 1 / 3))
