"""Which latents of a model of images say something about them."""

from __future__ import annotations

from typing import NamedTuple

import pyro
import torch
from torch import Tensor

from inference.diagnostics import ACTIVE
from inference.images.levels import check_bits
from inference.images.objective import ImageObjective
from inference.modes import as_trained
from inference.streams import Stream, update_seed
from pyro_nem.checks import at_least
from pyro_nem.data import ImageSet
from pyro_nem.errors import ConfigError

__all__ = ["Activity", "latent_activity"]

_IMAGES = 100


class Activity(NamedTuple):
    """How much the posterior mean of each latent varies from image to image.

    Attributes
    ----------
    variances
        Var_x(E_q[z_l | x]) of each latent, for z_1 to z_L; each [H_l].
    """

    variances: tuple[Tensor, ...]

    @property
    def active(self) -> tuple[int, ...]:
        """The number of active latents of each layer."""
        return tuple(int((variance > ACTIVE).sum()) for variance in self.variances)


def latent_activity(
    objective: ImageObjective, data: ImageSet, *, draws: int = 32, seed: int = 0
) -> Activity:
    """Measure which latents are used.

    The mean of z_1 is known. That of a higher layer is an average over draws of the layer below,
    whose own noise would count as variance. So the draws are split in two halves, and the
    covariance of their averages is taken, which has no bias.

    Parameters
    ----------
    objective
        Model and guide.
    data
        At least two images, of 0 and 255.
    draws
        Draws of each image, an even number.
    seed
        Seed of the draws.

    Raises
    ------
    ConfigError
        If there are too few images or draws, or the images are grey or of another size than the
        model's.
    """
    at_least(2, draws=draws)
    if draws % 2 or len(data) < 2:
        raise ConfigError(
            f"draws: expected an even number for at least two images, got {draws} for {len(data)}"
        )
    check_bits(objective.model, data)
    like = next(objective.parameters())
    layers = len(objective.model.latent_sizes)
    means: list[list[Tensor]] = [[] for _ in range(layers)]
    for index, start in enumerate(range(0, len(data), _IMAGES)):
        x = data.probabilities(slice(start, start + _IMAGES)).to(like)
        generator = torch.Generator(like.device).manual_seed(
            update_seed(seed, Stream.ACTIVITY, index)
        )
        with as_trained(objective), torch.no_grad(), pyro.validation_enabled(False):
            noise = objective.guide.noise(len(x), draws, generator)
            below = x
            for layer in range(layers):
                law = objective.guide.law(layer + 1, below)
                locs = law.loc.expand(draws, *law.loc.shape[-2:])  # [S, B, H]
                means[layer].append(locs.unflatten(0, (2, -1)).mean(1).double())  # [2, B, H]
                below = law.loc + law.scale * noise[layer]
    return Activity(tuple(_covariance(*torch.cat(parts, 1)) for parts in means))


def _covariance(one: Tensor, two: Tensor) -> Tensor:
    """Return the covariance over images of two averages [N, H] of each latent, [H]."""
    return ((one - one.mean(0)) * (two - two.mean(0))).sum(0) / (len(one) - 1)
