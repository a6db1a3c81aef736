"""The posterior of the toy in ``brightness``, by quadrature and from draws.

Two components have one number each, so that both can be integrated on a grid.
"""

import functools
import math
from typing import NamedTuple

import torch
from brightness import IMAGE, PIXELS, SIGMA, prior_scale
from pyro.ops.stats import effective_sample_size
from torch import Tensor
from torch.distributions import Normal

from inference.reference import co_assignment

PAIRS = torch.triu_indices(PIXELS, PIXELS, 1).T

# How far moments of co-assignment under the best Gaussian with independent states are from those
# of the posterior, whose two states correlate a little through the pixel between them.
VARIATIONAL = 0.03


class Exact(NamedTuple):
    """The posterior of the toy on a grid, and moments of its co-assignment [P]."""

    log_evidence: Tensor
    highest: Tensor
    mean: Tensor
    std: Tensor


def quadrature(prior, nodes):
    """Integrate over both states, at ``nodes`` of equal distance."""
    one, other = torch.meshgrid(nodes, nodes, indexing="ij")
    x = torch.tensor(IMAGE).double()
    log_p = torch.stack([Normal(t[..., None], SIGMA).log_prob(x) for t in (one, other)], -2)
    log_likelihood = (log_p.logsumexp(-2) - math.log(2)).sum(-1)
    log_joint = log_likelihood + prior(one) + prior(other)
    log_evidence = log_joint.logsumexp((0, 1))
    weight = (log_joint - log_evidence).exp()[..., None]
    together = co_assignment(log_p.softmax(-2), PAIRS)
    mean = (weight * together).sum((0, 1))
    variance = (weight * (together - mean).square()).sum((0, 1))
    spacing = (nodes[1] - nodes[0]).log()
    return Exact(log_evidence + 2 * spacing, log_joint.max(), mean, variance.sqrt())


@functools.cache
def uniform_quadrature():
    nodes = (torch.arange(400).double() + 0.5) / 400
    return quadrature(torch.zeros_like, nodes)


@functools.cache
def gaussian_quadrature():
    nodes = torch.linspace(-3.0, 4.0, 500).double()
    return quadrature(Normal(0.5, prior_scale()).log_prob, nodes)


class Moments(NamedTuple):
    """Mean and standard deviation over draws, [P] each, with Monte Carlo errors."""

    mean: Tensor
    std: Tensor
    mean_error: Tensor
    std_error: Tensor


def moments(gamma, *, independent):
    """Moments of co-assignment over [runs, draws, K, D]."""
    together = co_assignment(gamma, PAIRS)  # [runs, draws, P]
    number = together.shape[0] * together.shape[1]

    def size(values):
        return number if independent else effective_sample_size(values).clamp(max=number)

    mean = together.mean((0, 1))
    squares = (together - mean).square()
    std = squares.mean((0, 1)).sqrt()
    spread = squares.flatten(0, 1).std(0)
    std_error = spread / (2 * std * torch.as_tensor(size(squares)).sqrt())
    return Moments(mean, std, std / torch.as_tensor(size(together)).sqrt(), std_error)


def agree(one, other, tolerance=0.0):
    """Whether all moments differ by no more than four standard errors and the tolerance."""
    mean = (one.mean - other.mean).abs() <= 4 * torch.hypot(one.mean_error, other.mean_error) + (
        tolerance
    )
    std = (one.std - other.std).abs() <= 4 * torch.hypot(one.std_error, other.std_error) + tolerance
    return bool((mean & std).all())


def known(exact):
    nothing = torch.zeros_like(exact.mean)
    return Moments(exact.mean, exact.std, nothing, nothing)


def chain_moments(samples):
    """The sequences of the clip hold the same image, so each is a run of its own."""
    return moments(samples.gamma[0, :, 0].transpose(0, 1), independent=False)
