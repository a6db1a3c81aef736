"""The hand-written twins that speed is measured against are the same computation."""

import pytest
import torch
from guide_zoo import CONTEXT, SHAPE, STATE, make_clip
from torch import nn

from experiments.benchmarks.eager import eager_twin, plain_convolutions
from inference import NEMObjective
from inference.guides import RNEM, RNNEM, VRNN, GradientNEM
from models import RecurrentPrior, SpatialMixture
from pyro_nem.networks import (
    ConvDecoder,
    ConvEncoder,
    RelationalCell,
    SigmoidCell,
    TiedDecoder,
    UpsampleConv,
)

PAPER = {"views": ("masked-residual",), "gradient_psi": True}


def build(name, gradient_gamma):
    torch.manual_seed(0)
    options = {**PAPER, "gradient_gamma": gradient_gamma}
    if name == "n-em":
        model = SpatialMixture(TiedDecoder(SHAPE, STATE), 3).double()
        guide = GradientNEM(model, gradient_gamma=gradient_gamma)
        guide.step_size.data.fill_(0.7)
    elif name == "vrnn":
        prior = RecurrentPrior(STATE, CONTEXT)
        model = SpatialMixture(ConvDecoder(SHAPE, STATE + CONTEXT), 3, prior=prior).double()
        guide = VRNN(model, ConvEncoder(SHAPE), **options)
    else:
        model = SpatialMixture(ConvDecoder(SHAPE, STATE), 3).double()
        if name == "rnn-em":
            cell = SigmoidCell(512, STATE, normalise=True)
            guide = RNNEM(model, ConvEncoder(SHAPE), cell, **options)
        else:
            cell = RelationalCell(512, STATE, encoded_size=7, attention_size=4)
            guide = RNEM(model, ConvEncoder(SHAPE), cell, **options)
    return NEMObjective(model, guide.double(), inter_weight=0.5)


@pytest.mark.parametrize("gradient_gamma", [False, True])
@pytest.mark.parametrize("name", ["n-em", "rnn-em", "r-nem", "vrnn"])
def test_a_twin_has_the_objectives_loss_and_gradient(name, gradient_gamma):
    objective = build(name, gradient_gamma)
    twin = eager_twin(objective)
    clip = make_clip(3, 2)
    ours = objective(clip, torch.Generator().manual_seed(7))
    theirs = twin(clip, torch.Generator().manual_seed(7))
    for term in ("loss", "negative_bound", "inter"):
        torch.testing.assert_close(getattr(ours, term), getattr(theirs, term))
    torch.testing.assert_close(ours.rollout.gamma, theirs.gamma)
    ours.loss.backward()
    theirs.loss.backward()
    assert norms(objective) == pytest.approx(norms(twin), rel=1e-7)


def norms(module):
    """Return the norm of every parameter's gradient, sorted: the twins name theirs otherwise."""
    assert all(p.grad is not None for p in module.parameters())
    return sorted(p.grad.norm().item() for p in module.parameters())


def test_the_twins_convolutions_are_the_textbooks():
    decoder = ConvDecoder(SHAPE, STATE).double()
    plain = plain_convolutions(decoder)
    assert not any(isinstance(module, UpsampleConv) for module in plain.modules())
    assert sum(isinstance(module, nn.Upsample) for module in plain.modules()) == 2
    theta = torch.rand(4, STATE, dtype=torch.double)
    torch.testing.assert_close(plain(theta), decoder(theta))
    # A copy: training the twin leaves the original alone.
    next(plain.parameters()).data.zero_()
    assert next(decoder.parameters()).abs().sum() > 0
