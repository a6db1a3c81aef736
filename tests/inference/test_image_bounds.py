"""Bounds of models of images, against the formulas written out and against Pyro."""

import math

import pytest
import torch
from pyro.infer import RenyiELBO, Trace_ELBO, TraceMeanField_ELBO
from small_images import MEAN, PIXELS, SIZES, Chain, Gains, bits, build

from inference import BoundConfig
from inference.images import ImageObjective, ImagePosterior
from pyro_nem.errors import ConfigError

BATCH = 3


def generator(seed=5):
    return torch.Generator().manual_seed(seed)


def gradients(value, modules):
    parameters = [p for module in modules for p in module.parameters()]
    return torch.autograd.grad(value, parameters, retain_graph=True)


def assert_same(one, two, modules):
    torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-10)
    pairs = zip(gradients(one.sum(), modules), gradients(two.sum(), modules), strict=True)
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


def head(raw, size):
    return raw[..., :size], torch.nn.functional.softplus(raw[..., size:] + 0.5413) + 1e-3


def log_normal(z, loc, scale):
    part = -0.5 * ((z - loc) / scale) ** 2 - scale.log() - 0.5 * math.log(2 * math.pi)
    return part.sum(-1)


def by_hand(model, guide, x, noise, *, frozen=False):
    """Log-weights [S, B] at noises [S, B, H], and the likelihood less the KL of one layer.

    Frozen, the parameters of the guide have no gradient in log q, only in the draws.
    """
    sizes = model.latent_sizes
    below, log_q = x - MEAN.double(), 0.0
    latents = []
    for encoder, size, eps in zip(guide.encoders, sizes, noise, strict=True):
        loc, scale = head(encoder(below), size)
        z = loc + scale * eps
        if frozen:
            weights = {name: p.detach() for name, p in encoder.named_parameters()}
            raw = torch.func.functional_call(encoder, weights, (below,))
            loc, scale = head(raw, size)
        log_q = log_q + log_normal(z, loc, scale)
        latents.append(z)
        below = z
    zero = torch.zeros(())
    log_p = log_normal(latents[-1], zero, zero + 1.0)
    if len(latents) == 2:
        log_p = log_p + log_normal(latents[0], *head(model.decoders[1](latents[1]), sizes[0]))
    p = (model.decoders[0](latents[0]) + MEAN.double().logit()).sigmoid()
    likelihood = (x * p + (1 - x) * (1 - p)).log().sum(-1)
    kl = 0.5 * (loc**2 + scale**2 - 1.0) - scale.log()
    return likelihood + log_p - log_q, likelihood - kl.sum(-1)


def noise_of(layers, particles):
    rows = (particles, BATCH) if particles > 1 else (BATCH,)
    draws = generator()
    return tuple(
        torch.randn(*rows, size, generator=draws, dtype=torch.double) for size in SIZES[layers][0]
    )


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize(
    ("layers", "name", "particles", "divergence"),
    [
        (1, "elbo", 1, "analytic"),
        (1, "elbo", 4, "analytic"),
        (1, "vae", 4, "sampled"),
        (1, "iwae", 4, "sampled"),
        (2, "elbo", 1, "sampled"),
        (2, "vae", 4, "sampled"),
        (2, "iwae", 4, "sampled"),
    ],
)
def test_value_and_gradient_equal_those_written_out(layers, name, particles, divergence):
    modules = model, guide = build(layers)
    x = bits(BATCH)
    bound = BoundConfig(name, particles, divergence=divergence)
    terms = ImageObjective(model, guide, bound=bound)(x, generator())
    sampled, exact = by_hand(model, guide, x, noise_of(layers, particles))
    log_weights = (exact if divergence == "analytic" else sampled).view(particles, BATCH)
    weighted = log_weights.exp().mean(0).log()
    assert_same(terms.bound, weighted if name == "iwae" else log_weights.mean(0), modules)
    torch.testing.assert_close(terms.log_weights, log_weights)
    torch.testing.assert_close(terms.loss, -terms.bound.mean())


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("name", "gradient"), [("vae", "stl"), ("iwae", "dreg")])
def test_estimators_have_the_gradients_of_their_papers(layers, name, gradient):
    """Roeder et al. (2017) leave out the score of q; Tucker et al. (2018) square the weights."""
    model, guide = build(layers)
    x = bits(BATCH)
    terms = ImageObjective(model, guide, bound=BoundConfig(name, 4, gradient))(x, generator())
    noise = noise_of(layers, 4)
    log_weights, _ = by_hand(model, guide, x, noise)
    pathwise, _ = by_hand(model, guide, x, noise, frozen=True)
    share = log_weights.detach().softmax(0) if name == "iwae" else torch.full((4, 1), 0.25)
    for_guide = (share**2 if name == "iwae" else share) * pathwise
    for part, surrogate in ((guide, for_guide), (model, share * log_weights)):
        found = gradients(terms.bound.sum(), (part,))
        expected = gradients(surrogate.sum(), (part,))
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


@pytest.mark.usefixtures("double_precision", "empty_param_store")
@pytest.mark.parametrize(
    ("layers", "bound", "elbo", "batch"),
    [
        (1, BoundConfig(), Trace_ELBO(), BATCH),
        (2, BoundConfig(), Trace_ELBO(), BATCH),
        (1, BoundConfig(divergence="analytic"), TraceMeanField_ELBO(), BATCH),
        # Pyro's weights belong to the whole batch.
        (2, BoundConfig("iwae", 4), RenyiELBO(0, 4, 1, vectorize_particles=True), 1),
    ],
)
def test_pyro_computes_the_same_number_and_gradient(layers, bound, elbo, batch):
    modules = model, guide = build(layers)
    x = bits(batch)
    terms = ImageObjective(model, guide, bound=bound)(x, generator())
    noise = guide.noise(batch, bound.particles, generator())
    if isinstance(elbo, RenyiELBO):
        # It differentiates what is in Pyro's parameter store only.
        torch.testing.assert_close(terms.bound.sum().item(), -elbo.loss(model, guide, x, noise))
    else:
        assert_same(terms.bound.sum(), -elbo.differentiable_loss(model, guide, x, noise), modules)


@pytest.mark.usefixtures("double_precision", "empty_param_store")
def test_pyro_trains_the_programs_without_an_objective():
    """Noise is for seeds; without it the guide is any guide."""
    model, guide = build(2)
    module = Trace_ELBO()(model, guide)
    before = module(bits(200)).item()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    for _ in range(30):
        optimizer.zero_grad()
        module(bits(200)).backward()
        optimizer.step()
    assert module(bits(200)).item() < 0.9 * before


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("layers", [1, 2])
def test_the_exact_posterior_gives_the_likelihood(layers):
    model = Chain(layers)
    x = torch.tensor([[-1.5], [0.2], [2.0]])
    objective = ImageObjective(model, Gains(model), bound=BoundConfig("iwae", 3))
    terms = objective(x, generator())
    truth = model.log_likelihood(x)
    torch.testing.assert_close(terms.log_weights, truth.expand(3, 3))
    torch.testing.assert_close(terms.bound, truth)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("layers", [1, 2])
def test_more_draws_come_nearer_to_the_likelihood_from_below(layers):
    model = Chain(layers)
    x = torch.full((20_000, 1), 0.7)  # a copy is an image with draws of its own
    gaps = []
    for name, particles in (("vae", 1), ("iwae", 2), ("iwae", 8), ("iwae", 64)):
        guide = Gains(model, offset=0.3, factor=1.3)
        with torch.no_grad():
            bound = ImageObjective(model, guide, bound=BoundConfig(name, particles))(x).bound
        gaps.append((model.log_likelihood(x) - bound).mean().item())
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] > 0.1
    assert -0.002 < gaps[-1] < 0.02


@pytest.mark.usefixtures("double_precision")
def test_weights_estimate_the_likelihood_without_bias():
    model = Chain(2)
    x = torch.full((50_000, 1), -0.4)
    guide = Gains(model, offset=0.1, factor=1.2)
    with torch.no_grad():
        weights = ImageObjective(model, guide)(x, generator()).log_weights.exp()
    error = weights.std() / math.sqrt(weights.numel())
    assert abs(weights.mean() - model.log_likelihood(x[:1]).exp()) < 4 * error


@pytest.mark.parametrize(
    ("layers", "same", "other"), [(1, "analytic", "sampled"), (2, "sampled", None)]
)
def test_the_bound_is_the_elbo_in_closed_form_where_there_is_one(layers, same, other):
    model, guide = build(layers)
    x = bits(BATCH).float()

    def bound_of(**options):
        return ImageObjective(model.float(), guide.float(), **options)(x, generator()).bound

    default = bound_of()
    assert torch.equal(default, bound_of(bound=BoundConfig(divergence=same)))
    if other is not None:
        assert not torch.allclose(default, bound_of(bound=BoundConfig(divergence=other)))


def test_contradictions_are_refused():
    model, guide = build(1)
    other, _ = build(1)
    for options, message in (
        ({"bound": BoundConfig("trace_enum")}, "models of images have none"),
        ({"bound": BoundConfig("fivo", 4)}, "fivo resamples the particles of sequence models"),
        ({"bound": BoundConfig(kl_warmup=3)}, "not for models of images"),
        ({"bound": BoundConfig(free_nats=1.0)}, "not for models of images"),
        ({"bound": BoundConfig("iwae", divergence="analytic")}, "closed form has no draws"),
        ({"bound": BoundConfig("vae", 2, "dreg")}, "dreg is an estimator of iwae"),
    ):
        with pytest.raises(ConfigError, match=message):
            ImageObjective(model, guide, **options)
    with pytest.raises(ConfigError, match="built for another model"):
        ImageObjective(other, guide)
    deep = build(2)
    with pytest.raises(ConfigError, match="with several layers of latents"):
        ImageObjective(*deep, bound=BoundConfig(divergence="analytic"))


def test_parameters_are_counted_once():
    model, guide = build(1)
    names = dict(ImageObjective(model, guide).named_parameters())
    assert len(names) == len(list(model.parameters())) + len(list(guide.parameters()))
    assert all(name.startswith(("model.", "guide.encoders.")) for name in names)
    assert ImagePosterior(model).model is model
    assert model.law_of_images.size == PIXELS
