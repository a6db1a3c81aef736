"""Bounds of sequence models against loops written out, and Pyro's."""

import math

import pytest
import torch
from pyro.infer import Trace_ELBO, TraceMeanField_ELBO
from small_sequences import (
    HIDDEN,
    LATENT,
    LENGTHS,
    batch_of,
    build,
)

from inference import BoundConfig
from inference.sequences import NoLatents, SequenceObjective, posterior
from pyro_nem.data import SequenceBatch
from pyro_nem.errors import ConfigError

BATCH, STEPS = len(LENGTHS), max(LENGTHS)
VARIANTS = {
    "plain": {"residual": False},
    "residual": {},
    "independent prior": {"independent_prior": True},
    "smoothing": {"smoothing": True},
    "layer norm": {"layer_norm": True},
}


def generator(seed=5):
    return torch.Generator().manual_seed(seed)


def log_normal(x, loc, scale):
    return (-0.5 * ((x - loc) / scale) ** 2 - scale.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def gaussian(raw, size=LATENT):
    return raw[..., :size], torch.log1p(torch.exp(raw[..., size:] + 0.5413)) + 1e-3


def by_hand(model, guide, x, noises):
    """What each step adds to log w of one sequence [T, D]: at noises [T, H], and with its KL."""
    mean = model.output.mean
    h, c = torch.zeros(1, HIDDEN), torch.zeros(1, HIDDEN)
    read = [model.phi_x(x[t] - mean)[None] for t in range(len(x))]
    known = read
    if guide.reader is not None:
        known, later = [], torch.zeros(1, HIDDEN)
        gru = guide.reader.gru
        for t in reversed(range(len(x))):
            later = torch.gru_cell(
                read[t], later, gru.weight_ih_l0, gru.weight_hh_l0, gru.bias_ih_l0, gru.bias_hh_l0
            )
            known.insert(0, later)
    sampled, exact = [], []
    for t in range(len(x)):
        p_loc, p_scale = torch.zeros(1, LATENT), torch.ones(1, LATENT)
        if model.prior is not None:
            p_loc, p_scale = gaussian(model.prior(h))
        q_loc, q_scale = gaussian(guide.head(guide.layers(torch.cat([known[t], h], 1))))
        if guide.residual:
            q_loc = q_loc + p_loc
        z = q_loc + q_scale * noises[t]
        z_features = model.phi_z(z)
        logits = model.decoder(torch.cat([z_features, h], 1)) + mean.logit()
        p = logits.sigmoid()
        likelihood = (x[t] * p + (1 - x[t]) * (1 - p)).log().sum()
        ratio = log_normal(z, p_loc, p_scale) - log_normal(z, q_loc, q_scale)
        kl = (p_scale / q_scale).log() + (q_scale**2 + (q_loc - p_loc) ** 2) / (2 * p_scale**2)
        sampled.append(likelihood + ratio.squeeze())
        exact.append(likelihood - (kl - 0.5).sum())
        h, c = model.cell(torch.cat([read[t], z_features], 1), (h, c))
    return torch.stack(sampled), torch.stack(exact)


def fixed_noise(monkeypatch, particles, steps=STEPS, batch=BATCH):
    """Let guides draw the same noise [S, T, B, H], each sequence its own."""
    noise = torch.randn(particles, steps, batch, LATENT, generator=generator(2)).double()
    rows = noise.transpose(0, 1).flatten(1, 2)
    monkeypatch.setattr(posterior, "standard_normal", lambda shape, like, g: rows[: shape[0]])
    return noise


def gradients(value, modules):
    parameters = [p for module in modules for p in module.parameters()]
    found = torch.autograd.grad(value, parameters, allow_unused=True, retain_graph=True)
    return [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]


def weights_by_hand(model, guide, batch, noise):
    """Sampled and exact sums over the steps of each sequence, [S, B]."""
    each = [
        [
            [p.sum() for p in by_hand(model, guide, batch.x[:t, b], noise[s, :t, b])]
            for b, t in enumerate(batch.lengths.tolist())
        ]
        for s in range(len(noise))
    ]
    sampled = torch.stack([torch.stack([part[0] for part in row]) for row in each])
    return sampled, torch.stack([torch.stack([part[1] for part in row]) for row in each])


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("name", "particles", "divergence"),
    [
        ("elbo", 1, "analytic"),
        ("vae", 3, "sampled"),
        ("iwae", 1, "sampled"),
        ("iwae", 3, "sampled"),
    ],
)
def test_value_and_gradient_equal_those_written_out(
    variant, name, particles, divergence, monkeypatch
):
    model, guide = build(**VARIANTS[variant])
    batch = batch_of()
    noise = fixed_noise(monkeypatch, particles)
    objective = SequenceObjective(
        model, guide, bound=BoundConfig(name, particles, divergence=divergence)
    )
    terms = objective(batch, generator())
    sampled, exact = weights_by_hand(model, guide, batch, noise)
    log_weights = exact if divergence == "analytic" else sampled
    expected = log_weights.mean(0)
    if name == "iwae":
        expected = log_weights.exp().mean(0).log()
    torch.testing.assert_close(terms.bound, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(terms.loss, -expected.sum() / sum(LENGTHS))
    pairs = zip(
        gradients(terms.bound.sum(), (model, guide)),
        gradients(expected.sum(), (model, guide)),
        strict=True,
    )
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9)
    assert sum(a.abs().sum() for a in gradients(terms.bound.sum(), (guide,))) > 0


@pytest.mark.usefixtures("double_precision", "empty_param_store")
@pytest.mark.parametrize(
    ("divergence", "elbo"), [("sampled", Trace_ELBO), ("analytic", TraceMeanField_ELBO)]
)
def test_pyro_computes_the_same_number_and_gradient(divergence, elbo):
    model, guide = build()
    batch = batch_of()
    objective = SequenceObjective(model, guide, bound=BoundConfig(divergence=divergence))
    terms = objective(batch, generator())
    theirs = -elbo(max_plate_nesting=2).differentiable_loss(model, guide, batch, terms.rollout)
    torch.testing.assert_close(terms.bound.sum(), theirs)
    pairs = zip(
        gradients(terms.bound.sum(), (model, guide)),
        gradients(theirs, (model, guide)),
        strict=True,
    )
    for a, b in pairs:
        torch.testing.assert_close(a, b)


@pytest.mark.usefixtures("double_precision")
def test_a_model_without_latents_has_its_exact_likelihood():
    model, guide = build(latent_size=0)
    batch = batch_of()
    bounds = [
        SequenceObjective(model, guide, bound=BoundConfig(name, particles))(batch).bound
        for name, particles in (("elbo", 1), ("iwae", 5))
    ]
    expected, mean = [], model.output.mean
    for b, steps in enumerate(LENGTHS):
        state, total = (torch.zeros(1, HIDDEN), torch.zeros(1, HIDDEN)), 0.0
        for x in batch.x[:steps, b]:
            p = (model.decoder(state[0]) + mean.logit()).sigmoid()
            total = total + (x * p + (1 - x) * (1 - p)).log().sum()
            state = model.cell(model.phi_x(x - mean)[None], state)
        expected.append(total)
    for bound in bounds:
        torch.testing.assert_close(bound, torch.stack(expected))


@pytest.mark.usefixtures("double_precision")
def test_with_one_particle_all_bounds_are_the_same():
    model, guide = build()
    batch = batch_of()
    found = [
        SequenceObjective(model, guide, bound=BoundConfig(name, 1))(batch, generator()).bound
        for name in ("elbo", "vae", "iwae")
    ]
    resampled = SequenceObjective(model, guide, bound=BoundConfig("fivo", 2, resample=1.0))
    found.append(resampled(batch, generator(), particles=1).bound)
    for bound in found[1:]:
        torch.testing.assert_close(bound, found[0])


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize(
    ("name", "particles", "gradient"), [("elbo", 1, "stl"), ("iwae", 3, "dreg")]
)
def test_estimators_agree_on_average(name, particles, gradient):
    """Every call is a mean over many copies of a sequence."""
    model, guide = build()
    one = batch_of((3,))
    batch = SequenceBatch(
        *(part.expand(*part.shape[:1], 300, *part.shape[2:]) for part in one[:2]),
        one.lengths.expand(300),
    )
    modules = (model, guide)

    def draw(kind, seed):
        bound = BoundConfig(name, particles, kind)
        terms = SequenceObjective(*modules, bound=bound)(batch, generator(seed))
        return torch.cat([g.flatten() for g in gradients(terms.loss, modules)])

    standard, other = (
        torch.stack([draw(kind, seed) for seed in range(24)], -1) for kind in ("standard", gradient)
    )
    difference = other - standard
    moved = difference.std(-1) > 1e-9  # what concerns the decoder alone is the same
    assert moved.sum() > 50
    error = difference[moved].std(-1) / math.sqrt(24)
    assert (difference[moved].mean(-1) / error).abs().max() < 4.5


def test_contradictions_are_refused():
    model, guide = build()
    other, _ = build()
    for options, message in (
        ({"bound": BoundConfig("trace_enum")}, "sequence models have none"),
        ({"bound": BoundConfig("iwae", divergence="analytic")}, "closed form has no draws"),
    ):
        with pytest.raises(ConfigError, match=message):
            SequenceObjective(model, guide, **options)
    with pytest.raises(ConfigError, match="built for another model"):
        SequenceObjective(other, guide)
    with pytest.raises(ConfigError, match="stl is for models with latents"):
        SequenceObjective(*build(latent_size=0), bound=BoundConfig(gradient="stl"))
    for bound in (BoundConfig(gradient="stl"), BoundConfig("iwae", 2, "dreg")):
        with pytest.raises(ConfigError, match="a second pass, which a posterior with batch_norm"):
            SequenceObjective(*build(batch_norm=5), bound=bound)
    with pytest.raises(ConfigError, match="no latents to infer"):
        posterior.SequencePosterior(build(latent_size=0)[0])
    with pytest.raises(ConfigError, match="it has 2 latents to infer; use SequencePosterior"):
        NoLatents(model)
