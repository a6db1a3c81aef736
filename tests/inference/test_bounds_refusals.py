"""What the bound refuses, because it could not treat it exactly."""

import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro import poutine
from small_programs import (
    MASK,
    SUM_OUT,
    B,
    Program,
    Y,
    assign,
    drawing,
    emit,
    in_batch,
    mixture,
    normal_guide,
    pixels,
    prior,
)

from inference import EnumeratedBound
from pyro_nem.errors import ConfigError

pytestmark = pytest.mark.usefixtures("double_precision", "empty_param_store")


def scaled(body):
    return poutine.scale(body, scale=0.5)


def recycled(p):
    theta = prior(p)
    for t in pyro.markov(range(2), history=0):
        emit(p, theta + p.mu[assign(p, f"z{t}")], Y, f"x{t}")


def outside_of_its_plate(p):
    theta = prior(p)
    with pixels():
        z = assign(p)
    emit(p, theta + p.mu[z], Y)


def subsampled(p):
    with pyro.plate("batch", 2 * B, dim=-2, subsample=torch.arange(B)):
        prior(p)


def outside_of_sequences(p):
    pyro.sample("everywhere", dist.Normal(p.loc, 1.0), obs=Y[0])
    mixture(p)


DEPENDENT = in_batch(lambda p: assign(p, "z2", p.mu[assign(p, "z1"), None] + p.logits + prior(p)))
TWO = in_batch(lambda p: emit(p, prior(p) + p.mu[assign(p)] * p.mu[assign(p, "z2")], Y))
PYRO = ".*TraceEnum_ELBO can"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (DEPENDENT, r"'z2': .* \(z1, z2\)" + PYRO),
        (TWO, r"'x': .* \(z, z2\)" + PYRO),
        (in_batch(recycled), "'z0': .*pyro.markov" + PYRO),
        (in_batch(lambda p: prior(p, p.mu[assign(p)])), f"'theta': .* 'z'{PYRO}.*MixtureSame"),
        (in_batch(outside_of_its_plate), "'x': .* 'z', .* move it inside"),
        (in_batch(lambda p: prior(p) + prior(p, name="u")), "'u' is neither .*; give it a site"),
        (in_batch(lambda p: prior(p) + assign(p, enumerate="sequential")), "'z' is .* mark it"),
        (in_batch(lambda p: prior(p) + assign(p, num_samples=4)), "'z' .* leave num_samples out"),
        (subsampled, "'theta': has a scale" + PYRO),
        (scaled(mixture), "'theta': has a scale" + PYRO),
        (outside_of_sequences, "'everywhere': .*pass sequence_plate=None"),
    ],
)
def test_refused_models(model, message):
    with pytest.raises(ConfigError, match=message):
        EnumeratedBound(max_plate_nesting=2)(Program(model), Program(normal_guide))()


@pytest.mark.parametrize(
    ("guide", "message"),
    [
        (drawing(lambda p: dist.Categorical(logits=p.mu), **SUM_OUT), "'theta' is enum" + PYRO),
        (drawing(lambda p: dist.Poisson(p.raw)), r"'theta' has no repar.* \(Poisson\)" + PYRO),
        (in_batch(lambda p: prior(p) + prior(p, name="u")), "'u' is not in the model, .*name it"),
        (scaled(normal_guide), "'theta': has a scale" + PYRO),
    ],
)
def test_refused_guides(guide, message):
    with pytest.raises(ConfigError, match=message):
        EnumeratedBound(max_plate_nesting=2)(Program(mixture), Program(guide))()


@pytest.mark.parametrize(
    ("model", "law", "message"),
    [
        (mixture, lambda p: dist.Delta(p.loc), "'theta' is a point mass.*use sampled"),
        (mixture, lambda p: dist.StudentT(3.0, p.loc), "between StudentT and Normal; use sampled"),
        (poutine.mask(mixture, mask=MASK), lambda p: dist.Normal(p.loc, 1.0), "another mask"),
        (scaled(mixture), lambda p: dist.Normal(p.loc, 1.0), "'theta': has a scale" + PYRO),
        (in_batch(lambda p: prior(p, p.mu[assign(p)])), lambda p: dist.Normal(p.loc, 1.0), "'z'"),
    ],
)
def test_refused_closed_forms(model, law, message):
    bound = EnumeratedBound(divergence="analytic", max_plate_nesting=2)
    with pytest.raises(ConfigError, match=message):
        bound(Program(model), Program(drawing(law)))()


@pytest.mark.parametrize("wrap", [lambda draw: draw, lambda draw: ({"draws": [draw]},)])
def test_arguments_that_cannot_be_held_fixed(wrap):
    """A value computed from the guide's parameters, which scoring again would not follow."""
    model, guide = Program(mixture), Program(normal_guide)
    for program in (model, guide):
        program.forward = lambda _, program=program: program.body(program)
    bound = EnumeratedBound(gradient="stl", max_plate_nesting=2)
    assert bound(model, guide)(wrap(guide.loc.detach())).isfinite()
    with pytest.raises(ConfigError, match=r"an argument carries a gradient .*; give rescore"):
        bound(model, guide)(wrap(guide.loc * 2.0))


def test_guides_whose_parameters_cannot_be_held_fixed():
    bound = EnumeratedBound(gradient="stl", max_plate_nesting=2)
    model, guide = Program(mixture), Program(normal_guide)
    for programs in ((lambda: model(), guide), (model, lambda: guide())):
        with pytest.raises(ConfigError, match=r"to be nn\.Modules, got function; use standard"):
            bound.differentiable_loss(*programs)
    of_the_store = drawing(lambda _: dist.Normal(pyro.param("loc", torch.ones(())), 1.0))
    with pytest.raises(ConfigError, match=r"'loc' is Pyro's .*make it an nn\.Parameter"):
        bound(model, Program(of_the_store))()
    with pytest.raises(ConfigError, match=r"stl .* 'theta' is a point mass.*use standard"):
        bound(model, Program(drawing(lambda p: dist.Delta(p.loc.view(1)).to_event(1))))()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bound": "iwea"}, "bound: expected one of elbo, vae, iwae, got 'iwea'"),
        ({"gradient": "reinforce"}, "gradient: expected one of"),
        ({"divergence": "exact"}, "divergence: expected one of"),
        ({"particles": 0}, "particles: expected at least 1"),
        ({"step_weights": (1.0, -1.0)}, "step_weights: expected finite weights >= 0"),
        ({"step_weights": (1.0, float("nan"))}, "step_weights: expected finite weights >= 0"),
        ({"gradient": "dreg"}, "dreg is an estimator of iwae, not of elbo; use stl"),
        ({"bound": "iwae", "gradient": "dreg", "step_weights": (1.0, 2.0)}, "use standard"),
        ({"bound": "iwae", "gradient": "dreg", "step_weights": (2.0, 2.0)}, "use standard"),
        ({"bound": "iwae", "divergence": "analytic"}, "closed form .* use sampled"),
        ({"gradient": "stl", "divergence": "analytic"}, "closed form .* use sampled"),
    ],
)
def test_refused_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        EnumeratedBound(max_plate_nesting=2, **arguments)
