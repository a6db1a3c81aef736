"""The bound of N-EM's own programs: against Pyro's, in single precision, on a device, by estimator.

enumerated z [K, 1, 1, 1]      x [T, B, D]
time (-3), batch (-2), pixel (-1)
"""

import math

import pyro
import pytest
import torch
from pyro.infer import TraceEnum_ELBO
from torch.utils._python_dispatch import TorchDispatchMode

from inference import BoundConfig, EnumeratedBound, NEMObjective
from inference.guides import RNEM, RNNEM, VRNN, GradientNEM
from models import BernoulliPixels, GaussianPixels, RecurrentPrior, SpatialMixture
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError
from pyro_nem.networks import DenseDecoder, FlatEncoder, TiedDecoder

SHAPE = (2, 3, 1)
PIXELS = 6
GUIDES = {"rnn-em": RNNEM, "r-nem": RNEM, "n-em": GradientNEM, "vrnn": VRNN}
ESTIMATORS = [("elbo", "standard"), ("elbo", "stl"), ("vae", "standard"), ("vae", "stl")]
ESTIMATORS += [("iwae", "standard"), ("iwae", "stl"), ("iwae", "dreg")]


def build(name, components=3, law="bernoulli"):
    torch.manual_seed(0)
    options = {
        "pixels": BernoulliPixels() if law == "bernoulli" else GaussianPixels(0.4),
        "learn_mixing": True,
    }
    if name == "n-em":
        model = SpatialMixture(TiedDecoder(SHAPE, 4), components, **options)
        guide = GradientNEM(model)
    elif name == "vrnn":
        prior = RecurrentPrior(2, 3, hidden=5)
        model = SpatialMixture(DenseDecoder(SHAPE, 5), components, prior=prior, **options)
        encoder = FlatEncoder((2, 3, 4))
        guide = VRNN(model, encoder, hidden=5, gradient_gamma=True, gradient_psi=True)
    else:
        model = SpatialMixture(DenseDecoder(SHAPE, 4), components, **options)
        guide = GUIDES[name](model, FlatEncoder((2, 3, 4)), gradient_gamma=True)
    model.mixing_logits.data.normal_()
    return model.double(), guide.double()


def make_clip(law="bernoulli", steps=3, batch=2, missing=False):
    generator = torch.Generator().manual_seed(1)
    frames = torch.rand(steps + 1, batch, PIXELS, 1, generator=generator).double()
    if law == "bernoulli":
        frames = (frames < 0.4).double()
    observed = torch.rand(steps, batch, PIXELS, generator=generator) < 0.7 if missing else None
    return Clip(frames[:-1], frames[1:], observed)


def compute(modules, clip, bound, weights="all", update=None):
    """The loss and its gradient in all parameters, for always the same draws."""
    objective = NEMObjective(*modules, step_weights=weights, bound=bound)
    loss = objective(clip, torch.Generator().manual_seed(7), update).loss
    parameters = [p for module in modules for p in module.parameters()]
    return loss, torch.autograd.grad(loss, parameters, materialize_grads=True)


def assert_equal_to_pyro(modules, clip, particles, weights="all"):
    ours, theirs = (
        compute(modules, clip, BoundConfig(name, particles), weights)
        for name in ("elbo", "trace_enum")
    )
    assert sum(bool(gradient.any()) for gradient in theirs[1]) > 1
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", GUIDES)
@pytest.mark.parametrize("particles", [1, 5])
@pytest.mark.parametrize(
    ("components", "steps", "batch"), [(3, 3, 2), (1, 3, 2), (3, 1, 2), (3, 3, 1), (1, 1, 1)]
)
def test_value_and_gradient_are_those_of_pyro(name, particles, components, steps, batch):
    assert_equal_to_pyro(build(name, components), make_clip(steps=steps, batch=batch), particles)


@pytest.mark.parametrize("name", ["rnn-em", "r-nem", "vrnn"])
@pytest.mark.parametrize("particles", [1, 5])
def test_gaussian_pixels_some_missing_and_step_weights(name, particles):
    modules = build(name, law="gaussian")
    clip = make_clip("gaussian", missing=True)
    for weights in ("all", "last", (0.5, 0.0, 2.0), (0.3, 0.3, 2.0), (2.0,) * 3):
        assert_equal_to_pyro(modules, clip, particles, weights)


@pytest.mark.parametrize("name", GUIDES)
def test_particles_of_any_guide_are_those_of_pyro(name):
    """The bound as such; the objective does not draw a point mass several times."""
    model, guide = build(name)
    clip = make_clip()
    rollout = guide.rollout(clip, torch.Generator().manual_seed(7), 5)
    losses = [
        EnumeratedBound(particles=5, max_plate_nesting=3)(model, guide)(clip, rollout),
        TraceEnum_ELBO(num_particles=5, vectorize_particles=True, max_plate_nesting=3)(
            model, guide
        )(clip, rollout),
    ]
    parameters = [*model.parameters(), *guide.parameters()]
    ours, theirs = (
        torch.autograd.grad(loss, parameters, retain_graph=True, materialize_grads=True)
        for loss in losses
    )
    torch.testing.assert_close(*losses, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("particles", [1, 5])
def test_only_the_particles_of_a_stochastic_guide_differ(particles):
    clip = make_clip()
    bound = EnumeratedBound("iwae", particles=particles, max_plate_nesting=3)
    for name, differ in (("rnn-em", False), ("vrnn", particles > 1)):
        model, guide = build(name)
        rollout = guide.rollout(clip, torch.Generator().manual_seed(7), particles)
        parts = bound.terms(model, guide, clip, rollout)
        for part in parts:
            assert part.shape == (particles, 3, 2)
        spread = (parts.log_likelihood - parts.log_likelihood[:1]).abs().amax()
        assert bool(spread > 1e-3) is differ


def test_mixing_far_apart_in_single_precision_where_pyro_is_infinite():
    """Component 0 has the prior and component 1 the likelihood, 150 nats and more apart."""
    model, guide = (module.float() for module in build("rnn-em", 2, "gaussian"))
    model.pixels = GaussianPixels(0.03)
    model.mixing_logits.data = torch.tensor([150.0, 0.0])
    psi = torch.tensor([-0.5, 1.0]).view(1, 1, 2, 1, 1).expand(3, 2, 2, PIXELS, 1)
    clip = make_clip("gaussian")
    clip = Clip(clip.inputs.float(), torch.ones_like(clip.targets).float())
    rollout = guide.rollout(clip)._replace(psi=psi)
    guide.rollout = lambda *_: rollout
    objectives = {
        name: NEMObjective(model, guide, inter_weight=0.0, bound=BoundConfig(name))
        for name in ("elbo", "trace_enum")
    }
    assert objectives["trace_enum"](clip).loss == math.inf
    loss = objectives["elbo"](clip).loss
    log_pi = torch.tensor([150.0, 0.0]).double().log_softmax(0)[:, None]
    log_p = torch.distributions.Normal(psi[0, 0, :, :, 0].double(), 0.03).log_prob(torch.ones(()))
    by_hand = -3 * (log_pi + log_p).logsumexp(0).sum()
    torch.testing.assert_close(loss.double(), by_hand, rtol=1e-6, atol=0.0)
    (gradient,) = torch.autograd.grad(loss, model.mixing_logits)
    torch.testing.assert_close(gradient, 3.0 * PIXELS * torch.tensor([1.0, -1.0]))


class SynchronisationError(Exception):
    """The host has waited for a device."""


class NoSynchronisation(TorchDispatchMode):
    """Refuses operations whose result, or its shape, the host would have to wait for."""

    NAMES = ("_local_scalar_dense", "item", "is_nonzero", "equal", "nonzero", "masked_select")
    NAMES += ("nonzero_static", "unique", "_unique2", "unique_dim", "bincount", "allclose")

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = operation.overloadpacket.__name__
        if name in self.NAMES:
            raise SynchronisationError(name)
        if name in ("index", "index_put", "index_put_"):
            assert not any(index is not None and index.dtype == torch.bool for index in args[1])
        return operation(*args, **(kwargs or {}))


def step(name, bound):
    modules = build(name)
    with pyro.validation_enabled(False), NoSynchronisation():
        return compute(modules, make_clip(missing=True), bound, update=0)


@pytest.mark.parametrize("particles", [1, 3])
@pytest.mark.parametrize(("objective", "gradient"), ESTIMATORS)
def test_no_step_of_a_stochastic_guide_waits_for_the_device(objective, gradient, particles):
    beside = {} if objective == "iwae" else {"kl_warmup": 3, "free_nats": 0.1}
    step("vrnn", BoundConfig(objective, particles, gradient, **beside))


@pytest.mark.parametrize("objective", ["elbo", "iwae"])
@pytest.mark.parametrize("name", ["rnn-em", "r-nem", "n-em"])
def test_no_step_of_a_point_mass_waits_for_the_device(name, objective):
    step(name, BoundConfig(objective))


def test_the_closed_form_does_not_wait_and_pyro_does():
    step("vrnn", BoundConfig("elbo", 3, divergence="analytic"))
    with pytest.raises(SynchronisationError):
        step("vrnn", BoundConfig("trace_enum"))


@pytest.mark.parametrize("particles", [1, 4])
def test_estimators_differ_in_the_gradient_alone(particles, monkeypatch):
    modules, clip = build("vrnn"), make_clip()
    for objective in ("elbo", "iwae"):
        standard = compute(modules, clip, BoundConfig(objective, particles))
        for gradient in ("stl", "dreg") if objective == "iwae" else ("stl",):
            bound = BoundConfig(objective, particles, gradient)
            value, gradients = compute(modules, clip, bound)
            torch.testing.assert_close(value, standard[0], rtol=1e-12, atol=1e-12)
            close = [torch.allclose(*pair) for pair in zip(gradients, standard[1], strict=True)]
            assert not all(close)
            with torch.no_grad(), monkeypatch.context() as patch:
                patch.setattr(modules[1], "rescore", None)  # has nothing to do here
                objective_module = NEMObjective(*modules, bound=bound)
                silent = objective_module(clip, torch.Generator().manual_seed(7)).loss
            assert not silent.requires_grad
            torch.testing.assert_close(silent, value)


@pytest.mark.parametrize("gradient", ["stl", "dreg"])
@pytest.mark.parametrize("fails", [False, True])
def test_parameters_are_free_again_after_they_were_held(gradient, fails, monkeypatch):
    model, guide = build("vrnn")
    guide.head.bias.requires_grad_(False)
    before = [p.requires_grad for module in (model, guide) for p in module.parameters()]
    held = []
    rescore = guide.rescore

    def watch(*args):
        held.append(not any(p.requires_grad for m in (model, guide) for p in m.parameters()))
        if fails and held[-1]:
            raise RuntimeError("inside")
        return rescore(*args)

    monkeypatch.setattr(guide, "rescore", watch)
    objective = NEMObjective(model, guide, bound=BoundConfig("iwae", 2, gradient))
    if fails:
        with pytest.raises(RuntimeError, match="inside"):
            objective(make_clip())
    else:
        objective(make_clip()).loss.backward()
        assert guide.head.weight.grad is not None
    assert held[-1]
    assert [p.requires_grad for m in (model, guide) for p in m.parameters()] == before


@pytest.mark.parametrize("gradient", ["stl", "dreg"])
def test_point_masses_have_no_other_estimator_and_no_closed_form(gradient):
    model, guide = build("rnn-em")
    clip = make_clip()
    rollout = guide.rollout(clip)
    bound = EnumeratedBound(
        "iwae",
        particles=2,
        gradient=gradient,
        max_plate_nesting=3,
        rescore=lambda args, draws: args,
    )
    with pytest.raises(ConfigError, match=f"gradient: {gradient} .* 'theta' is a point mass"):
        bound(model, guide)(clip, rollout)
    closed = EnumeratedBound(divergence="analytic", max_plate_nesting=3)
    with pytest.raises(ConfigError, match=r"divergence: .* 'theta' is a point mass"):
        closed(model, guide)(clip, rollout)
