"""Small sequence models (double precision unless said otherwise), data for them, one solvable."""

import math

import numpy as np
import torch

from inference.sequences import NoLatents, SequenceObjective, SequencePosterior
from models import BernoulliOutput, GaussianOutput, RecurrentState, SequenceVRNN, StateLaw
from pyro_nem.data import SequenceSet, pad

LENGTHS = (3, 5, 2)
MANY = (3, 5, 2, 7, 4, 6, 1, 3, 5, 8)
SIZE, LATENT, HIDDEN, WIDTH = 4, 2, 3, 5
MEAN = torch.tensor([0.2, 0.5, 0.7, 0.4])


def build(latent_size=LATENT, independent_prior=False, layer_norm=False, **guide_options):
    torch.manual_seed(1)
    model = SequenceVRNN(
        BernoulliOutput(SIZE, MEAN),
        latent_size=latent_size,
        hidden_size=HIDDEN,
        width=WIDTH,
        independent_prior=independent_prior,
        layer_norm=layer_norm,
    )
    if latent_size:
        guide = SequencePosterior(model, layer_norm=layer_norm, **guide_options)
    else:
        guide = NoLatents(model)
    for parameter in [*model.parameters(), *guide.parameters()]:
        parameter.data.mul_(2.0)
    return model.double(), guide.double()


def objective(bound=None, **options):
    """In single precision."""
    model, guide = build(**options)
    return SequenceObjective(model.float(), guide.float(), bound=bound)


def rolls(lengths=LENGTHS, seed=0, size=SIZE):
    generator = np.random.default_rng(seed)
    return SequenceSet("rolls", [generator.integers(0, 2, (t, size), np.uint8) for t in lengths])


def batch_of(lengths=LENGTHS, seed=0):
    batch = pad(rolls(lengths, seed).sequences)
    return batch._replace(x=batch.x.double())


A, Q, R = 0.9, 0.6, 0.5


class Walk(SequenceVRNN):
    """z_t ~ N(A z_{t-1}, Q), x_t ~ N(z_t, R), z_0 = 0: what the recurrence carries is z."""

    def __init__(self):
        super().__init__(GaussianOutput(1, min_scale=0.0), latent_size=1, hidden_size=1, width=1)

    def read(self, x):
        return x

    def prior_law(self, context):
        return StateLaw(A * context, torch.full_like(context, Q))

    def decode(self, z, context):
        raw_scale = math.log(math.expm1(R)) - 0.5413
        return torch.cat([z, torch.full_like(z, raw_scale)], -1)

    def advance(self, state, features, z):
        return RecurrentState(z, z)


class Gain(SequencePosterior):
    """Moves the prior's mean towards x by a gain; with the right one it is the optimal proposal."""

    def __init__(self, model, gain, scale):
        super().__init__(model)
        self.gain, self.scale = (
            torch.nn.Parameter(torch.tensor(v, dtype=torch.double)) for v in (gain, scale)
        )

    def law(self, t, known, context, mask):
        known = known.repeat(len(context) // len(known), 1)
        loc = A * context
        return StateLaw(loc + self.gain * (known - loc), self.scale.expand_as(loc))


OPTIMAL = (Q**2 / (Q**2 + R**2), Q * R / math.sqrt(Q**2 + R**2))
"""Gain and scale of p(z_t | z_{t-1}, x_t)."""


def kalman(x):
    """log p(x_{1:T}) of a walk, x [T]."""
    mean, variance, total = 0.0, 0.0, 0.0
    for value in x.tolist():
        mean, variance = A * mean, A**2 * variance + Q**2
        spread = variance + R**2
        total += -0.5 * ((value - mean) ** 2 / spread + math.log(2 * math.pi * spread))
        gain = variance / spread
        mean, variance = mean + gain * (value - mean), (1 - gain) * variance
    return total
