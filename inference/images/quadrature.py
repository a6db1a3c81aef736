"""The likelihood of images as a sum over a grid of latents."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Normal

from inference.images.levels import check_bits
from inference.images.objective import ImageObjective
from inference.modes import as_trained
from pyro_nem.checks import at_least
from pyro_nem.data import ImageSet
from pyro_nem.errors import ConfigError

__all__ = ["QuadratureLikelihood", "quadrature_likelihood"]

# The grid ends where the prior has a density of 1e-8 of its highest.
_END = 6.0

# Images times points that are scored together.
_AT_ONCE = 2000


class QuadratureLikelihood(NamedTuple):
    """log p(x) by quadrature.

    Attributes
    ----------
    log_likelihood
        Of each image, [N], in nats.
    change
        How far it is from that by every second point of each axis, [N], in nats. The rule converges
        so fast that the error is far below this; where this is not small the grid is too coarse.
    """

    log_likelihood: Tensor
    change: Tensor


def quadrature_likelihood(
    objective: ImageObjective, data: ImageSet, *, points: int = 401
) -> QuadratureLikelihood:
    """Sum p(z) p(x | z) over a grid, by the trapezoidal rule: the truth, for one or two latents.

    Nothing of the guide is used. The grid goes from -6 to 6 along each latent.

    Parameters
    ----------
    objective
        Model and guide. Their parameters stay as they are.
    data
        Images of 0 and 255.
    points
        Points along a latent, an odd number. 401 x 401 of them take seconds an image.

    Raises
    ------
    ConfigError
        If there are more than two latents or several layers of them, the number of points is even
        or below 5, or the images are grey or of another size than the model's.
    """
    model = objective.model
    if len(model.latent_sizes) > 1 or model.latent_sizes[0] > 2:
        raise ConfigError(
            "objective: expected a model of one layer of one or two latents, got latent sizes "
            f"{model.latent_sizes}; a grid of more has too many points, use hmc_likelihood or "
            "score_images"
        )
    at_least(5, points=points)
    if points % 2 == 0:
        raise ConfigError(f"points: expected an odd number, got {points}; use {points + 1}")
    check_bits(model, data)
    x = data.probabilities(slice(None)).to(next(objective.parameters()))
    (size,) = model.latent_sizes
    axis = torch.linspace(-_END, _END, points, dtype=torch.double, device=x.device)
    even = torch.arange(points, device=x.device) % 2 == 0
    grid = torch.cartesian_prod(*[axis] * size).reshape(-1, size)  # [S, H]
    coarse = torch.cartesian_prod(*[even] * size).reshape(-1, size).all(-1)  # [S]
    parts = list(
        zip(*(each.split(max(1, _AT_ONCE // len(x))) for each in (grid, coarse)), strict=True)
    )
    # Sums that stay are written here: new ones would lie between the freed blocks of the densities,
    # which then could not be used again, and memory would grow by a block for each.
    fine, rough = x.new_empty(2, len(parts), len(x), dtype=torch.double)
    with as_trained(objective), torch.no_grad():
        for index, (z, kept) in enumerate(parts):
            law = model.law_of_images.law(model.decode(z.to(x)).unsqueeze(1))  # [s, 1], D
            prior = Normal(0.0, 1.0).log_prob(z).sum(-1, keepdim=True)  # [s, 1]
            joint = prior + law.log_prob(x)  # [s, B]
            fine[index] = joint.logsumexp(0)
            rough[index] = joint[kept].logsumexp(0)  # -inf without a point
    # The ends have half the weight by the rule, and next to none in the sum.
    width = size * math.log(2 * _END / (points - 1))
    found = fine.logsumexp(0) + width
    half = rough.logsumexp(0) + width + size * math.log(2.0)
    return QuadratureLikelihood(found, (found - half).abs())
