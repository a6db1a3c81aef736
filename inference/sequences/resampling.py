"""Particles that are resampled on the way, and the bound that this gives."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from inference.bounds import combine
from pyro_nem.errors import ConfigError

__all__ = ["Resampled", "SystematicResampling", "combine_resampled"]


class Resampled(NamedTuple):
    """What became of the particles of each sequence after a step.

    Attributes
    ----------
    ancestors
        Which particle each goes on from, int64 [S, B]; its own number where nothing was resampled.
    happened
        Where it was, bool [B].
    """

    ancestors: Tensor
    happened: Tensor


class SystematicResampling:
    """Resamples the particles of a sequence when few of them carry the weight.

    That is when 1 / sum_s w_s^2 of the normalised weights, the effective sample size, is below a
    share of S. Particle s goes on from the one in whose part of the cumulative weight (s + u) / S
    lies, with one uniform u for all s. Nothing waits for a GPU.

    Parameters
    ----------
    threshold
        The share of S, in (0, 1].

    Raises
    ------
    ConfigError
        If it is out of range.
    """

    def __init__(self, threshold: float = 0.5) -> None:
        if not 0.0 < threshold <= 1.0:
            raise ConfigError(f"threshold: expected a share in (0, 1], got {threshold}")
        self.threshold = threshold

    def __call__(
        self, log_weights: Tensor, active: Tensor, generator: Generator | None = None
    ) -> Resampled:
        """Choose ancestors.

        Parameters
        ----------
        log_weights
            [S, B], not normalised.
        active
            Which sequences may be resampled, bool [B].
        generator
            Source of u.
        """
        particles, batch = log_weights.shape
        weights = log_weights.softmax(0)  # [S, B]
        happened = active & (1.0 / weights.square().sum(0) < self.threshold * particles)  # [B]
        own = torch.arange(particles, device=weights.device).unsqueeze(1)  # [S, 1]
        u = torch.rand(
            batch, generator=generator, dtype=weights.dtype, device=weights.device
        )  # [B]
        positions = (own + u) / particles  # [S, B]
        found = torch.searchsorted(weights.cumsum(0).T.contiguous(), positions.T.contiguous()).T
        # Rounding may leave the sum of the weights below the last position.
        found = found.clamp(max=particles - 1)  # [S, B]
        return Resampled(torch.where(happened, found, own.expand_as(found)), happened)


def combine_resampled(log_weights: Tensor, resampled: Tensor) -> Tensor:
    """Return the bound [B] of particles that were resampled on the way (FIVO).

    From one resampling to the next a particle's weights multiply, and the mean over the particles
    of what they come to is a factor of an estimate of p(x), which has no bias:

        log p^(x) = sum over segments of log 1/S sum_s prod_{t in segment} w_ts

    Without a resampling there is one segment, and it is the bound of IWAE. Differentiated as it
    stands, it leaves out the term of the choice of ancestors, as the authors do: the gradient then
    has a bias, and much less variance.

    Parameters
    ----------
    log_weights
        What each step adds to log w, [S, T, B].
    resampled
        Whether a sequence's particles were resampled after a step, bool [T, B].

    Notes
    -----
    Source: Maddison et al. (2017), equation 6 and algorithm 1.
    """
    # The number of a step's segment: resamplings before it.
    segment = resampled.long().cumsum(0) - resampled.long()  # [T, B]
    segments = torch.zeros_like(log_weights).scatter_add(
        1, segment.expand_as(log_weights), log_weights
    )  # [S, T, B]; segments that there are not add log 1 = 0
    return combine("iwae", segments).sum(0)
