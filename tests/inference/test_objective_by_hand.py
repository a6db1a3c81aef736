"""The loss against N-EM written by hand, in value and gradient.

enumerated z [K, 1, 1, 1]      x [T, B, D]
time (-3), batch (-2), pixel (-1)
"""

import math

import pytest
import torch
from small_mixture import PIXELS, build, gradients, make_clip

from inference import NEMObjective, resolve_step_weights


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


def test_the_bound_is_the_log_likelihood_of_the_mixture():
    model, guide = build("bernoulli", 3)
    clip = make_clip("bernoulli", 2, 2)
    terms = NEMObjective(model, guide, inter_weight=0.0)(clip, torch.Generator().manual_seed(7))
    p = terms.rollout.psi.clamp(1e-6, 1 - 1e-6).squeeze(-1)
    x = clip.targets.squeeze(-1)[:, :, None]
    mixture = (x * p + (1 - x) * (1 - p)).mean(2).log().sum() / 2
    torch.testing.assert_close(-terms.negative_bound, mixture, rtol=1e-10, atol=1e-10)
