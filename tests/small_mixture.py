"""A small mixture with either law of pixels, a guide as in the paper, and clips for them."""

import math

import torch
from torch import nn

from inference.guides import RNNEM
from models import BernoulliPixels, GaussianPixels, SpatialMixture
from pyro_nem.data import Clip
from pyro_nem.networks import DenseDecoder, FlatEncoder, SigmoidCell

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


def gradients(loss, modules):
    parameters = [p for module in modules for p in module.parameters()]
    return torch.autograd.grad(loss, parameters, allow_unused=True)
