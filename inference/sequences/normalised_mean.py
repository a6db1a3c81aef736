"""Batch normalisation of the means of a posterior."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pyro_nem.checks import at_least

__all__ = ["NormalisedMean"]

# Rows that are all alike would be divided by zero. A floor, not a summand: above it the result does
# not depend on the size of the means, so that nothing is gained by making them small.
_SMALLEST_VARIANCE = 1e-6


class NormalisedMean(nn.Module):
    """Batch-normalises means, scale * (mean - m_t) / s_t + shift, with m_t and s_t over the rows.

    With a scale that is not learned the means of a step keep a variance over the data, which bounds
    the KL from a fixed law from below (BN-VAE, Zhu et al. 2020); from a prior that is learned it
    does not, as both standard deviations can grow.

    m_t and s_t are those of the batch while training, and running averages in evaluation mode, so
    that the bound of a sequence does not depend on the others in its batch. Each step has its own,
    in both modes (Cooijmans et al. 2017, section 3.3): one average for all would leave an offset to
    each step. Steps that training has not had take the averages of the last one that it had.

    Parameters
    ----------
    size
        H, the size of a mean.
    steps
        T, the steps that have averages of their own.
    scale
        The standard deviation that the means get.
    momentum
        Share of the averages that a batch replaces in which all sequences have the step.

    Raises
    ------
    ConfigError
        If there is no step.
    """

    mean: Tensor
    variance: Tensor
    rows: Tensor

    def __init__(self, size: int, steps: int, *, scale: float = 0.5, momentum: float = 0.1) -> None:
        super().__init__()
        at_least(1, steps=steps)
        self.scale = scale
        self.momentum = momentum
        self.shift = nn.Parameter(torch.zeros(size))
        self.register_buffer("mean", torch.zeros(steps, size))
        self.register_buffer("variance", torch.ones(steps, size))
        self.register_buffer("rows", torch.zeros(steps))

    def forward(self, t: int, loc: Tensor, mask: Tensor) -> Tensor:
        """Return the normalised means.

        Parameters
        ----------
        t
            The step, from 0.
        loc
            The means, [S B, H], all of a particle side by side.
        mask
            Which sequences have the step, [B].
        """
        known = self.rows[: t + 1] > 0
        place = (known * torch.arange(len(known), device=loc.device)).max(0, keepdim=True).values
        mean, variance = self.mean[place], self.variance[place]  # [1, H]
        if self.training:
            # A single sequence has no variance; it is normalised by what others had.
            several = mask.sum() > 1
            rows = mask.repeat(len(loc) // len(mask)).to(loc)  # [S B]
            count = rows.sum()
            weights = (rows / count.clamp_min(1)).unsqueeze(-1)  # [S B, 1]
            own_mean = (weights * loc).sum(0)  # [H]
            own_variance = (weights * (loc - own_mean) ** 2).sum(0)
            if t < len(self.mean):
                self._remember(t, own_mean, own_variance, several * count, len(rows))
            mean = torch.where(several, own_mean, mean)
            variance = torch.where(several, own_variance, variance)
        return (
            self.scale * (loc - mean) * variance.clamp_min(_SMALLEST_VARIANCE).rsqrt() + self.shift
        )

    @torch.no_grad()
    def _remember(self, t: int, mean: Tensor, variance: Tensor, count: Tensor, most: int) -> None:
        """Take the statistics of `count` of `most` rows into the averages of a step."""
        self.rows[t] += count
        share = torch.maximum(self.momentum * count / most, count / self.rows[t].clamp_min(1))
        self.mean[t].lerp_(mean, share)
        self.variance[t].lerp_(variance * count / (count - 1).clamp_min(1), share)
