"""What the loss costs, which pixels count in it, and what it refuses."""

import math

import pyro
import pytest
import torch
from pyro.infer import TraceEnum_ELBO
from small_mixture import PIXELS, SHAPE, build, gradients, make_clip

from inference import NEMObjective, resolve_step_weights
from inference.guides import RNNEM, GradientNEM
from models import SpatialMixture
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError
from pyro_nem.networks import DenseDecoder, FlatEncoder, GatedCell, TiedDecoder


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
def test_the_param_store_stays_empty(guide_name, empty_param_store):
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
