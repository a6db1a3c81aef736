"""The networks of the experiment on coloured frames."""

from dataclasses import replace

import pytest
import torch

from experiments.frames.assembly import build_objective
from experiments.frames.defaults import defaults
from models import GaussianPixels
from pyro_nem.data import make_clip


@pytest.mark.parametrize("guide", ["rnn-em", "r-nem", "vrnn"])
@pytest.mark.parametrize("network", ["located", "official"])
def test_every_guide_and_network_takes_colours(guide, network):
    settings = replace(defaults("sprites", "smoke", guide, network), components=3)
    objective = build_objective(settings, (16, 16, 3))
    assert objective.model.pixels == GaussianPixels(0.25)
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(3, 2, 16, 16, 3, generator=generator)
    terms = objective(make_clip(frames, settings.noise, generator), generator)
    psi = terms.rollout.psi
    assert psi.shape == (2, 2, 3, 256, 3)
    assert psi.min() >= 0
    assert psi.max() <= 1
    terms.loss.backward()
    silent = [name for name, p in objective.named_parameters() if p.grad is None]
    assert silent == []


def test_components_differ_by_colour_alone():
    """All channels of a pixel are weighed together: no channel alone could tell these apart."""
    objective = build_objective(defaults("sprites", "smoke", None, None), (16, 16, 3))
    colours = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]])
    psi = colours[:, None].expand(1, 3, 3, 3)  # [B, K, D, C]
    gamma = objective.guide.assign(psi, colours[None], None)[0]
    assert torch.equal(gamma.argmax(0), torch.arange(3))
    assert (gamma.diagonal() > 0.9).all()
