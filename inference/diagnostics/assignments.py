"""Draws of the assignments from their exact conditional, and what is counted in them."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

__all__ = ["draw_assignments", "effective_number"]


def draw_assignments(gamma: Tensor, draws: int, generator: Generator) -> Tensor:
    """Draw z from p(z | theta, x), independently for each pixel.

    Parameters
    ----------
    gamma
        Responsibilities, [R, S, ..., K, D].
    draws
        Draws for each of the S states.
    generator
        Source of randomness, on the device of ``gamma``.

    Returns
    -------
    Tensor
        Components, int16 [R, S draws, ..., D], the draws of a state side by side.
    """
    below = gamma.cumsum(-2).unsqueeze(2)  # [R, S, 1, ..., K, D]
    shape = (*gamma.shape[:2], draws, *gamma.shape[2:-2], gamma.shape[-1])
    level = torch.rand(shape, generator=generator, dtype=gamma.dtype, device=gamma.device)
    z = torch.zeros(shape, dtype=torch.int16, device=gamma.device)
    # Rounding may leave the sum over all K below 1, so the last one takes the rest.
    for k in range(gamma.shape[-2] - 1):
        z += level >= below[..., k, :]
    return z.flatten(1, 2)


def effective_number(z: Tensor, counted: Tensor, num_components: int) -> Tensor:
    """Return exp of the entropy of the components' shares of the counted pixels.

    Parameters
    ----------
    z
        Assignments, [..., B, D].
    counted
        Which pixels count, bool [B, D].
    num_components
        K.

    Returns
    -------
    Tensor
        Between 1 and K, [..., B]; NaN where no pixel counts. As
        :func:`pyro_nem.metrics.effective_components`, of a drawn assignment.
    """
    total = counted.sum(-1)  # [B]
    shares = [((z == k) & counted).sum(-1) / total for k in range(num_components)]
    entropy: Tensor = torch.special.entr(torch.stack(shares)).sum(0)  # [..., B]
    return entropy.exp()
