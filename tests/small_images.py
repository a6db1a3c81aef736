"""Small models of images, images for them, and models whose log p(x) is known."""

import math

import numpy as np
import torch

from inference.images import ImagePosterior
from models import BernoulliOutput, GaussianOutput, ImageVAE, StateLaw
from pyro_nem.data import ImageSet

PIXELS = 6
MEAN = torch.tensor([0.2, 0.5, 0.7, 0.4, 0.1, 0.9])
SIZES = {1: ((2,), (5,)), 2: ((3, 2), (5, 4))}


def build(layers=1):
    torch.manual_seed(1)
    sizes, widths = SIZES[layers]
    model = ImageVAE(BernoulliOutput(PIXELS, MEAN), latent_sizes=sizes, widths=widths, layers=2)
    guide = ImagePosterior(model)
    for parameter in [*model.parameters(), *guide.parameters()]:
        parameter.data.mul_(2.0)
    return model.double(), guide.double()


def images(count, seed=0):
    """Return grey images of 2x3 pixels, some of them black or white."""
    levels = np.random.default_rng(seed).integers(-80, 336, (count, 2, 3)).clip(0, 255)
    return ImageSet("images", levels.astype(np.uint8))


def pixels(rows):
    """Return images of one row, given as their bits."""
    return ImageSet("pixels", np.array(rows, np.uint8)[:, None] * np.uint8(255))


def bits(count, seed=0):
    return images(count, seed).binarised(seed).probabilities(slice(None)).double()


A, Q, R = 0.8, 0.6, 0.5


class Chain(ImageVAE):
    """z_2 ~ N(0, 1), z_1 ~ N(A z_2, Q), x ~ N(z_1, R); or z_1 ~ N(0, 1) and nothing above it."""

    def __init__(self, layers=1):
        super().__init__(
            GaussianOutput(1, min_scale=0.0), latent_sizes=(1,) * layers, widths=(1,) * layers
        )
        # What z_1 varies by before the image is seen.
        self.variance = 1.0 if layers == 1 else A**2 + Q**2

    def prior_law(self, layer, above):
        return StateLaw(A * above, torch.full_like(above, Q))

    def decode(self, z):
        raw_scale = math.log(math.expm1(R)) - 0.5413
        return torch.cat([z, torch.full_like(z, raw_scale)], -1)

    def log_likelihood(self, x):
        """Return log p(x), [B, 1] -> [B]."""
        scale = math.sqrt(self.variance + R**2)
        return torch.distributions.Normal(0.0, scale).log_prob(x).sum(-1)


class Peaks(ImageVAE):
    """z ~ N(0, 1) and 20 pixels that are likely where z is near -1 or near 1."""

    def __init__(self, *heights):
        super().__init__(BernoulliOutput(20), latent_sizes=(1,), widths=(1,))
        self.heights = heights

    def decode(self, z):
        peaks = (
            height * (-(((z - place) / 0.5) ** 2)).exp()
            for height, place in zip(self.heights, (-1.0, 1.0), strict=True)
        )
        return (sum(peaks) - 1.0).expand(*z.shape[:-1], 20)

    def log_likelihood_of_ones(self):
        """Return log p(x) of an image of ones, by quadrature."""
        z = torch.linspace(-6.0, 6.0, 4001)
        prior = torch.distributions.Normal(0.0, 1.0).log_prob(z)
        likelihood = torch.nn.functional.logsigmoid(self.decode(z[:, None])).sum(-1)
        return (prior + likelihood).logsumexp(0) + (z[1] - z[0]).log()


class Gains(ImagePosterior):
    """Means that are multiples of what is known; with offset 0 and factor 1 the exact posterior."""

    def __init__(self, model, offset=0.0, factor=1.0):
        super().__init__(model)
        self.offset, self.factor = (
            torch.nn.Parameter(torch.tensor(value, dtype=torch.double))
            for value in (offset, factor)
        )

    def law(self, layer, below):
        before, noise = (self.model.variance, R) if layer == 1 else (1.0, Q / A)
        gain = before / (before + noise**2)
        scale = math.sqrt(gain) * noise * self.factor
        known = below if layer == 1 else below / A
        return StateLaw(gain * known + self.offset, scale.expand_as(below))
