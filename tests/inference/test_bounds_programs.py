"""The bound of programs other than N-EM's, against Pyro's."""

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro import poutine
from pyro.infer import TraceEnum_ELBO
from pyro.infer.autoguide import AutoNormal
from small_programs import (
    MASK,
    SUM_OUT,
    B,
    D,
    Program,
    T,
    X,
    Y,
    assign,
    batch,
    emit,
    in_batch,
    mixture,
    normal_guide,
    pixels,
    prior,
)

from inference import EnumeratedBound
from inference.guides import DrawnNormal
from pyro_nem.errors import ConfigError

pytestmark = pytest.mark.usefixtures("double_precision", "empty_param_store")


def two_sites(p):
    """One z per sequence and one per pixel, a Bernoulli and a one-hot vector."""
    with batch():
        theta = prior(p)
        first = pyro.sample("first", dist.Bernoulli(logits=p.loc), infer=SUM_OUT)
        emit(p, theta + first * p.loc, Y, "y")
        with pixels():
            second = pyro.sample("second", dist.OneHotCategorical(logits=p.logits), infer=SUM_OUT)
            emit(p, theta + (second * p.mu).sum(-1))


def one_component_for_all_pixels(p):
    with batch():
        theta = prior(p)
        z = assign(p)
        with pixels():
            emit(p, theta + p.mu[z])


def masked(p):
    with batch():
        theta = prior(p)
        with pixels(), poutine.mask(mask=MASK):
            emit(p, theta + p.mu[assign(p)])


def with_deterministic_sites(p):
    pyro.deterministic("everywhere", p.mu * 2.0)
    with batch():
        theta = pyro.deterministic("twice", prior(p) * 2.0, event_dim=0)
        with pixels():
            emit(p, theta + pyro.deterministic("mean", p.mu[assign(p)], event_dim=0))


def several_in_a_loop(p):
    with batch():
        theta = prior(p)
        for pixel in range(D):
            z = assign(p, f"z{pixel}")
            emit(p, theta + p.mu[z], X[:, pixel : pixel + 1], f"x{pixel}")


def steps_below(p):
    """z once for a sequence; one state for a sequence, one for a step."""
    with batch():
        theta = prior(p)
        z = assign(p)
        with pyro.plate("time", T, dim=-3):
            state = prior(p, theta, "state")
            with pixels():
                emit(p, state + p.mu[z], torch.stack([X, -X]))


def steps_below_guide(p):
    with batch():
        theta = pyro.sample("theta", dist.Normal(p.loc, p.raw.exp()))
        with pyro.plate("time", T, dim=-3):
            prior(p, theta * p.loc, "state")


def assert_equal_to_pyro(model, guide, particles, nesting, **options):
    losses, gradients = [], []
    parameters = [*model.parameters(), *guide.parameters()]
    for elbo in (
        EnumeratedBound(particles=particles, max_plate_nesting=nesting, **options),
        TraceEnum_ELBO(particles, nesting, vectorize_particles=True),
    ):
        torch.manual_seed(0)
        losses.append(elbo(model, guide)())
        gradients.append(torch.autograd.grad(losses[-1], parameters, materialize_grads=True))
    assert sum(bool(gradient.any()) for gradient in gradients[1]) > 3
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("particles", [1, 5])
@pytest.mark.parametrize("components", [1, 3])
@pytest.mark.parametrize(
    "body",
    [
        mixture,
        two_sites,
        one_component_for_all_pixels,
        masked,
        with_deterministic_sites,
        several_in_a_loop,
    ],
)
def test_value_and_gradient_are_those_of_pyro(body, components, particles):
    assert_equal_to_pyro(Program(body, components), Program(normal_guide), particles, 2)


@pytest.mark.parametrize("particles", [1, 5])
def test_sites_outside_the_plate_of_steps(particles):
    programs = Program(steps_below), Program(steps_below_guide)
    assert_equal_to_pyro(*programs, particles, 3)
    bound = EnumeratedBound(particles=particles, max_plate_nesting=3)
    assert bound.terms(*programs).log_likelihood.shape == (particles, 1, B)
    with pytest.raises(ConfigError, match="step_weights: expected 1 weights, one a step, got 2"):
        EnumeratedBound(max_plate_nesting=3, step_weights=(1.0, 1.0))(*programs)()


@pytest.mark.parametrize("particles", [1, 5])
def test_a_program_without_sequences(particles):
    def model(p):
        theta = prior(p)
        z = assign(p)
        with pixels():
            emit(p, theta + p.mu[z], X[0])

    programs = Program(model), Program(lambda p: prior(p, p.loc * p.raw))
    assert_equal_to_pyro(*programs, particles, 1, sequence_plate=None)
    bound = EnumeratedBound("iwae", particles=particles, max_plate_nesting=1, sequence_plate=None)
    assert bound.log_weights(*programs).shape == (particles, 1)


@pytest.mark.parametrize("particles", [1, 5])
def test_a_guide_that_pyro_derives(particles):
    model = Program(mixture)
    guide = AutoNormal(poutine.block(model, hide=["z", "x"]))
    guide()  # creates its parameters
    assert_equal_to_pyro(model, guide, particles, 2)


@pytest.mark.parametrize("particles", [1, 4])
@pytest.mark.parametrize("time_is_left", [True, False])
def test_weights_belong_to_sequences_wherever_their_plate_stands(time_is_left, particles):
    """Against weights by hand, [S, T, B]; T = B, where a mistaken plate would go unnoticed."""
    generator = torch.Generator().manual_seed(3)
    noise = torch.randn(particles, B, B, generator=generator)
    x = torch.randn(B, B, generator=generator)  # [T, B]

    def place(part):
        return part if time_is_left else part.mT

    def frames():
        left, right = ("time", "batch") if time_is_left else ("batch", "time")
        return pyro.plate(left, B, dim=-2), pyro.plate(right, B, dim=-1)

    def model(p):
        left, right = frames()
        with left, right:
            emit(p, prior(p) + p.mu[assign(p)], place(x))

    def guide(p):
        left, right = frames()
        loc, scale = (p.loc * x).expand_as(noise), p.raw.exp().expand_as(noise)
        law = (place(part.squeeze(0)) for part in (loc, scale, loc + scale * noise))
        with left, right:
            pyro.sample("theta", DrawnNormal(*law))

    p, q = Program(model), Program(guide)
    theta = q.loc * x + q.raw.exp() * noise
    joint = dist.Normal(theta + p.mu.view(2, 1, 1, 1), p.raw.exp()).log_prob(x)
    likelihood = (joint + p.logits.log_softmax(0).view(2, 1, 1, 1)).logsumexp(0)
    penalty = dist.Normal(q.loc * x, q.raw.exp()).log_prob(theta)
    penalty = penalty - dist.Normal(p.loc, 1.0).log_prob(theta)
    log_weights = (likelihood - penalty).sum(1)  # [S, B]
    bound = EnumeratedBound("iwae", particles=particles, max_plate_nesting=2)
    torch.testing.assert_close(tuple(bound.terms(p, q)), (likelihood, penalty))
    torch.testing.assert_close(bound.log_weights(p, q), log_weights)
    torch.testing.assert_close(bound(p, q)(), -log_weights.exp().mean(0).log().sum())


def test_the_closed_form_is_the_divergence():
    mask = MASK[:, :1]
    programs = [
        Program(poutine.mask(body, mask=mask))
        for body in (in_batch(lambda p: (prior(p), assign(p))), normal_guide)
    ]
    terms = EnumeratedBound(divergence="analytic", max_plate_nesting=2).terms(*programs)
    law = dist.Normal(0.3 * X.mean(1), torch.tensor(0.3).exp())
    expected = torch.distributions.kl_divergence(law, dist.Normal(0.3, 1.0))
    torch.testing.assert_close(terms.divergence[0, 0], expected * mask[:, 0])
    torch.testing.assert_close(terms.log_likelihood, torch.zeros(1, 1, B))
