"""What components show together when no frame is seen."""

import torch

from inference.guides import RNNEM
from models import BernoulliPixels, GaussianPixels, SpatialMixture
from pyro_nem.networks import LocatedDecoder

RED, DARK_GREEN = torch.tensor([0.9, 0.0, 0.1]), torch.tensor([0.0, 0.5, 0.0])


def overlapping():
    """Two components [2, D, C]: red on pixels 0 and 1, dark green on 1 and 2, nothing on 3."""
    psi = torch.zeros(2, 4, 3)
    psi[0, :2] = RED
    psi[1, 1:3] = DARK_GREEN
    return psi


def test_binary_pixels_are_on_where_a_component_turns_them_on():
    psi = torch.tensor([[[0.05], [0.2], [0.0]], [[0.05], [0.0], [0.9]]])  # [K, D, C]
    assert BernoulliPixels().imagined(psi).flatten().tolist() == [0.0, 1.0, 1.0]


def test_coloured_pixels_have_the_colour_of_one_component():
    psi = overlapping().expand(5, 6, 2, 4, 3)
    shown = GaussianPixels().imagined(psi)
    expected = torch.stack([RED, RED, DARK_GREEN, torch.zeros(3)])
    assert torch.equal(shown, expected.expand(5, 6, 4, 3))


def test_a_guide_assigns_imagined_pixels_to_the_component_that_shows_them():
    model = SpatialMixture(LocatedDecoder((4, 4, 3), 4, template=1), 2, pixels=GaussianPixels())
    psi = overlapping().repeat(1, 4, 1).unsqueeze(0)  # [1, K, D, C]
    gamma = RNNEM(model).assign(psi, None, None)[0]  # [K, D]
    assert (gamma[0, [0, 1]] > 0.9).all()
    assert gamma[1, 2] > 0.8
    assert gamma[0, 3] == 0.5
