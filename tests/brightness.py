"""A toy that can be solved: six pixels, and components that are no more than their brightness.

Three pixels are dark, two bright, and one lies between, so that what it belongs to depends on how
bright the components are.
"""

import torch
from torch import nn

from inference import responsibilities
from inference.guides import VRNN
from inference.guides.protocol import register_states
from models import GaussianPixels, RecurrentPrior, Rollout, SpatialMixture, StateLaw
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


def gaussian_model(components=2):
    """theta ~ Normal(0.5, 1), by a network whose context is 0."""
    torch.manual_seed(0)
    prior = RecurrentPrior(1, CONTEXT, hidden=8)
    nn.init.zeros_(prior.head.weight)
    prior.head.bias.data = torch.tensor([0.5, 0.0])
    pixels = GaussianPixels(SIGMA)
    return SpatialMixture(Brightness(CONTEXT), components, pixels=pixels, prior=prior).double()


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
    guide = kind(model, FlatEncoder((2, 3, 4)), GatedCell(4 * PIXELS + 1, CONTEXT), hidden=16)
    return model, guide.double()


class NormalGuide(nn.Module):
    """Draws theta from a Gaussian that a function of the targets [1, B, D, C] gives, [1, B, K, 1].

    Its restarts are all alike.
    """

    stochastic = True

    def __init__(self, model, law):
        super().__init__()
        self.state = [model]
        self.law = law

    def rollout(self, clip, generator=None, particles=1):
        (model,) = self.state
        law = self.law(clip.targets)
        shape = law.loc.shape if particles == 1 else (particles, *law.loc.shape)
        noise = torch.randn(shape, generator=generator, dtype=law.loc.dtype)
        law = StateLaw(*(part.expand(shape) for part in law))
        theta = law.loc + law.scale * noise
        context = theta.new_zeros(*shape[:-1], CONTEXT)
        psi = model.decode(theta, context)
        flat = psi.reshape(-1, *psi.shape[-4:])
        gamma = responsibilities(model, flat, clip.targets.expand(len(flat), -1, -1, -1))
        gamma = gamma.view(psi.shape[:-1])
        return Rollout(theta, psi, gamma, gamma[..., 0, :, :, :], context, law)

    def forward(self, clip, rollout=None):
        register_states(self.rollout(clip) if rollout is None else rollout)


def exact_law(width=1.0, sigma=SIGMA):
    """The posterior of a single component, ``width`` times as wide."""
    scale = prior_scale()

    def law(targets):
        precision = scale**-2 + PIXELS * sigma**-2
        loc = (0.5 * scale**-2 + targets.sum((2, 3)) * sigma**-2) / precision  # [1, B]
        loc = loc[..., None, None]
        return StateLaw(loc, torch.full_like(loc, width * precision**-0.5))

    return law


def assignments():
    """All 2^6 ways to assign the pixels to two components, [64, D]."""
    return torch.cartesian_prod(*[torch.arange(2)] * PIXELS)


def log_joint(images):
    """log p(x, z) of every assignment z of two components, theta integrated out, [N, 64].

    ``images`` [N, D]: given z, pixels of one component share its Gaussian theta.
    """
    z = assignments()
    together = (z[:, :, None] == z[:, None, :]).double()
    covariance = SIGMA**2 * torch.eye(PIXELS).double() + prior_scale() ** 2 * together
    law = torch.distributions.MultivariateNormal(torch.full((PIXELS,), 0.5).double(), covariance)
    return law.log_prob(images[:, None]) - PIXELS * torch.tensor(2.0).log()
