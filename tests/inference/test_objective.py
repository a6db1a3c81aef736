"""The loss against N-EM written by hand, in value and gradient.

enumerated z [K, 1, 1, 1]      x [T, B, D]
time (-3), batch (-2), pixel (-1)
"""

import math

import pyro
import pytest
import torch
from pyro.infer import TraceEnum_ELBO
from torch import nn

from inference import NEMObjective, resolve_step_weights
from inference.guides import RNNEM, GradientNEM
from models import BernoulliPixels, GaussianPixels, SpatialMixture
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError
from pyro_nem.networks import DenseDecoder, FlatEncoder, GatedCell, SigmoidCell, TiedDecoder

SHAPE = (3, 4, 1)
PIXELS = 12


class LinearDecoder(nn.Module):
    """Means of Gaussian pixels, with channels."""

    def __init__(self, image_shape, state_size):
        super().__init__()
        self.image_shape = image_shape
        self.state_size = state_size
        self.linear = nn.Linear(state_size, math.prod(image_shape))

    def forward(self, theta):
        return self.linear(theta).view(len(theta), -1, self.image_shape[2])


def build(law, components, *, gradient_gamma=False, learn_mixing=False, channels=1):
    torch.manual_seed(0)
    shape = (*SHAPE[:2], channels)
    if law == "bernoulli":
        decoder, pixels = DenseDecoder(shape, 5), BernoulliPixels()
    else:
        decoder, pixels = LinearDecoder(shape, 5), GaussianPixels(0.4)
    model = SpatialMixture(decoder, components, pixels=pixels, learn_mixing=learn_mixing).double()
    if learn_mixing:
        model.mixing_logits.data.normal_()
    encoder = FlatEncoder(shape)
    cell = SigmoidCell(encoder.num_features, 5)
    guide = RNNEM(
        model,
        encoder,
        cell,
        gradient_gamma=gradient_gamma,
        views=("masked-residual",),
        gradient_psi=True,
    ).double()
    return model, guide


def make_clip(law, steps, batch, channels=1):
    generator = torch.Generator().manual_seed(1)
    frames = torch.rand(steps + 1, batch, PIXELS, channels, generator=generator).double()
    if law == "bernoulli":
        frames = (frames < 0.4).double()
    noisy = (frames + 0.1 * torch.randn(frames.shape, generator=generator).double()).clamp(0, 1)
    return Clip(noisy[:-1], frames[1:])


def by_hand(model, guide, clip, law, *, gradient_gamma, inter_weight, weights):
    """N-EM as equations: free energy with gamma fixed, plus the inter-cluster term."""
    steps, batch = clip.targets.shape[:2]
    components = model.num_components
    generator = torch.Generator().manual_seed(7)
    gamma = torch.randn(batch, components, PIXELS, generator=generator, dtype=torch.double).abs()
    gamma = gamma / gamma.sum(1, keepdim=True)
    log_pi = (
        torch.full((components,), -math.log(components), dtype=torch.double)
        if model.mixing_logits is None
        else model.mixing_logits.log_softmax(0)
    )[None, :, None]
    psi = torch.zeros(batch, components, PIXELS, clip.targets.shape[-1], dtype=torch.double)
    hidden = torch.zeros(batch * components, 5, dtype=torch.double)
    loss = torch.zeros((), dtype=torch.double)
    for t in range(steps):
        masked = gamma[..., None] * (clip.inputs[t][:, None] - psi)
        stacked = torch.cat([masked.flatten(0, 1).flatten(1), hidden], 1)
        hidden = torch.sigmoid(guide.cell.linear(stacked))
        psi = model.decoder(hidden).view_as(psi)
        x = clip.targets[t][:, None]
        if law == "bernoulli":
            p = psi.clamp(1e-6, 1 - 1e-6)
            log_p = (x * p.log() + (1 - x) * (1 - p).log()).sum(-1)
            divergence = -(1 - psi.clamp(max=1 - 1e-6)).log().sum(-1)
        else:
            sigma = 0.4
            log_p = -0.5 * ((x - psi) / sigma) ** 2 - math.log(sigma * math.sqrt(2 * math.pi))
            log_p = log_p.sum(-1)
            divergence = (psi / sigma).square().sum(-1) / 2
        joint = log_p + log_pi
        gamma = joint.softmax(1)
        if not gradient_gamma:
            gamma = gamma.detach()
        # With gamma the posterior, the free energy's gradient through gamma vanishes.
        fixed = gamma.detach()
        intra = -(fixed * (joint - fixed.log())).sum()
        inter = ((1 - gamma) * divergence).sum()
        loss = loss + weights[t] * (intra + inter_weight * inter) / batch
    return loss


def gradients(loss, modules):
    parameters = [p for module in modules for p in module.parameters()]
    return torch.autograd.grad(loss, parameters, allow_unused=True)


def assert_equal_to_hand(law, components, steps, batch, gradient_gamma, weights="all", **options):
    channels = options.get("channels", 1)
    model, guide = build(law, components, gradient_gamma=gradient_gamma, **options)
    clip = make_clip(law, steps, batch, channels)
    objective = NEMObjective(model, guide, inter_weight=0.7, step_weights=weights)
    ours = objective(clip, torch.Generator().manual_seed(7)).loss
    hand = by_hand(
        model,
        guide,
        clip,
        law,
        gradient_gamma=gradient_gamma,
        inter_weight=0.7,
        weights=resolve_step_weights(weights, steps),
    )
    torch.testing.assert_close(ours, hand, rtol=1e-10, atol=1e-10)
    modules = (model, guide)
    for one, other in zip(gradients(ours, modules), gradients(hand, modules), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("law", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("components", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("gradient_gamma", [False, True])
def test_loss_and_gradient_equal_the_hand_written_ones(law, components, gradient_gamma):
    assert_equal_to_hand(law, components, 3, 2, gradient_gamma)


@pytest.mark.parametrize("law", ["bernoulli", "gaussian"])
@pytest.mark.parametrize(("steps", "batch"), [(1, 1), (1, 3), (4, 1)])
@pytest.mark.parametrize("gradient_gamma", [False, True])
def test_single_steps_and_single_sequences(law, steps, batch, gradient_gamma):
    assert_equal_to_hand(law, 3, steps, batch, gradient_gamma)


@pytest.mark.parametrize("weights", ["last", (0.0, 1.0, 0.5), (0.3, 0.3, 2.0)])
@pytest.mark.parametrize("gradient_gamma", [False, True])
def test_step_weights(weights, gradient_gamma):
    assert_equal_to_hand("bernoulli", 3, 3, 2, gradient_gamma, weights=weights)


@pytest.mark.parametrize("law", ["bernoulli", "gaussian"])
def test_learned_mixing_weights_and_channels(law):
    assert_equal_to_hand(law, 3, 2, 2, False, learn_mixing=True, channels=3)


def test_the_gamma_gradient_changes_the_gradient():
    found = []
    for gradient_gamma in (False, True):
        model, guide = build("bernoulli", 3, gradient_gamma=gradient_gamma)
        loss = NEMObjective(model, guide)(
            make_clip("bernoulli", 3, 2), torch.Generator().manual_seed(7)
        ).loss
        found.append(gradients(loss, (guide,))[0])
    assert not torch.allclose(found[0], found[1])


def test_carrying_psi_equals_decoding_twice():
    """The model that takes psi from the rollout against the one that decodes theta again."""
    model, guide = build("bernoulli", 3)
    clip = make_clip("bernoulli", 3, 2)
    elbo = TraceEnum_ELBO(max_plate_nesting=3)(model, guide)
    generator = torch.Generator().manual_seed(7)
    rollout = guide.rollout(clip, generator)
    carried = elbo(clip, rollout)

    def naive_guide(clip, _):
        return guide(clip, rollout)

    def naive_model(clip, _):
        return model(clip)

    decoded = TraceEnum_ELBO(max_plate_nesting=3)(naive_model, naive_guide)(clip, None)
    torch.testing.assert_close(carried, decoded, rtol=1e-12, atol=1e-12)
    modules = (model, guide)
    one = torch.autograd.grad(
        carried, [p for m in modules for p in m.parameters()], retain_graph=True
    )
    two = gradients(decoded, modules)
    for a, b in zip(one, two, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_the_bound_is_the_log_likelihood_of_the_mixture():
    model, guide = build("bernoulli", 3)
    clip = make_clip("bernoulli", 2, 2)
    terms = NEMObjective(model, guide, inter_weight=0.0)(clip, torch.Generator().manual_seed(7))
    p = terms.rollout.psi.clamp(1e-6, 1 - 1e-6).squeeze(-1)
    x = clip.targets.squeeze(-1)[:, :, None]
    mixture = (x * p + (1 - x) * (1 - p)).mean(2).log().sum() / 2
    torch.testing.assert_close(-terms.negative_bound, mixture, rtol=1e-10, atol=1e-10)


def test_without_gradients_the_loss_is_the_same():
    model, guide = build("bernoulli", 3)
    clip = make_clip("bernoulli", 3, 2)
    objective = NEMObjective(model, guide, step_weights=(1.0, 0.0, 2.0))
    loss = objective(clip, torch.Generator().manual_seed(7)).loss
    with torch.no_grad():
        silent = objective(clip, torch.Generator().manual_seed(7)).loss
    torch.testing.assert_close(loss, silent)


def test_missing_pixels_do_not_count():
    model, guide = build("bernoulli", 3)
    clip = make_clip("bernoulli", 2, 2)
    observed = torch.ones(2, 2, PIXELS, dtype=torch.bool)
    observed[:, :, :5] = False
    other = clip.targets.clone()
    other[:, :, :5] = 1.0 - other[:, :, :5]
    objective = NEMObjective(model, guide)
    one, two = (
        objective(Clip(clip.inputs, x, observed), torch.Generator().manual_seed(7)).loss
        for x in (clip.targets, other)
    )
    torch.testing.assert_close(one, two)
    assert one < objective(clip, torch.Generator().manual_seed(7)).loss
    nothing = Clip(clip.inputs, clip.targets, torch.zeros_like(observed))
    loss = objective(nothing, torch.Generator().manual_seed(7)).loss
    torch.testing.assert_close(loss, torch.zeros_like(loss), atol=1e-10, rtol=0)


def test_missing_pixels_may_hold_anything():
    model, guide = build("bernoulli", 3)
    clip = make_clip("bernoulli", 2, 2)
    observed = torch.ones(2, 2, PIXELS, dtype=torch.bool)
    observed[:, :, :5] = False
    targets = clip.targets.clone()
    targets[:, :, :5] = math.nan
    loss = NEMObjective(model, guide)(Clip(clip.inputs, targets, observed)).loss
    assert all(gradient.isfinite().all() for gradient in gradients(loss, (model, guide)))


def test_each_step_decodes_once():
    model, guide = build("bernoulli", 3)
    calls = []
    model.decoder.register_forward_hook(lambda *_: calls.append(1))
    NEMObjective(model, guide)(make_clip("bernoulli", 4, 2)).loss.backward()
    assert len(calls) == 4


def test_a_guide_of_another_model_is_refused():
    model, _ = build("bernoulli", 3)
    _, guide = build("bernoulli", 3)
    with pytest.raises(ConfigError, match="guide: it was built for another model"):
        NEMObjective(model, guide)


@pytest.mark.parametrize("guide_name", ["rnn-em", "n-em"])
def test_the_param_store_stays_empty(guide_name):
    pyro.clear_param_store()
    if guide_name == "rnn-em":
        model = SpatialMixture(DenseDecoder(SHAPE, 5), 2)
        guide = RNNEM(
            model,
            FlatEncoder(SHAPE),
            GatedCell(PIXELS, 5),
            views=("masked-residual",),
            gradient_psi=True,
        )
    else:
        model = SpatialMixture(TiedDecoder(SHAPE, 5), 2)
        guide = GradientNEM(model)
    clip = make_clip("bernoulli", 2, 2)
    clip = Clip(clip.inputs.float(), clip.targets.float())
    NEMObjective(model, guide)(clip).loss.backward()
    assert len(pyro.get_param_store()) == 0
    assert all(p.grad is not None for m in (model, guide) for p in m.parameters())


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((1.0,), "expected 3 weights"),
        ((1.0, -1.0, 1.0), "finite weights >= 0"),
        ((0.0, 0.0, 0.0), "not all zero"),
        ((1.0, math.nan, 1.0), "finite weights >= 0"),
    ],
)
def test_bad_step_weights(weights, message):
    with pytest.raises(ConfigError, match=message):
        resolve_step_weights(weights, 3)


def test_bad_inter_weight():
    model, guide = build("bernoulli", 2)
    with pytest.raises(ConfigError, match="inter_weight"):
        NEMObjective(model, guide, inter_weight=-1.0)
