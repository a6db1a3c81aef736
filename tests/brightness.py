"""A toy that can be solved: six pixels, and components that are no more than their brightness.

Three pixels are dark, two bright, and one lies between, so that what it belongs to depends on how
bright the components are.
"""

import torch
from torch import nn

from inference.guides import VRNN
from models import GaussianPixels, RecurrentPrior, SpatialMixture
from pyro_nem.data import Clip
from pyro_nem.networks import FlatEncoder, GatedCell

SHAPE = (2, 3, 1)
PIXELS = 6
IMAGE = (0.0, 0.05, 0.1, 0.9, 1.0, 0.55)
SIGMA = 0.25
CONTEXT = 4


class Brightness(nn.Module):
    """Every pixel of a component has the value theta."""

    image_shape = SHAPE

    def __init__(self, context_size=0):
        super().__init__()
        self.state_size = 1 + context_size
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, theta):
        return (self.gain * theta[:, :1, None]).expand(-1, PIXELS, 1)


def uniform_model():
    return SpatialMixture(Brightness(), 2, pixels=GaussianPixels(SIGMA)).double()


def gaussian_model():
    """theta ~ Normal(0.5, 1), by a network whose context is 0."""
    torch.manual_seed(0)
    prior = RecurrentPrior(1, CONTEXT, hidden=8)
    nn.init.zeros_(prior.head.weight)
    prior.head.bias.data = torch.tensor([0.5, 0.0])
    pixels = GaussianPixels(SIGMA)
    return SpatialMixture(Brightness(CONTEXT), 2, pixels=pixels, prior=prior).double()


def prior_scale():
    return gaussian_model().prior.law(torch.zeros(CONTEXT).double()).scale.item()


def image(batch=1, steps=1):
    x = torch.tensor(IMAGE).double().view(1, 1, PIXELS, 1).expand(steps, batch, PIXELS, 1)
    return Clip(x, x)


class OneStart(VRNN):
    """Always starts from the same responsibilities, so that it numbers components in one way."""

    def start(self, batch, generator=None):
        state = super().start(1, torch.Generator().manual_seed(0))
        return type(state)(
            *(None if part is None else part.expand(batch, *part.shape[1:]) for part in state)
        )


def drawn_guide(kind=OneStart):
    model = gaussian_model()
    torch.manual_seed(1)
    guide = kind(model, FlatEncoder((2, 3, 3)), GatedCell(3 * PIXELS + 1, CONTEXT), hidden=16)
    return model, guide.double()
