"""Batch normalisation of the means of a posterior."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["NormalisedMean"]

_EPSILON = 1e-5


class NormalisedMean(nn.Module):
    """Batch-normalises means, scale * (mean - m) / s + shift, with m and s over the rows of a step.

    With a scale that is not learned the means keep a variance over the data, which bounds the KL
    from a fixed prior from below (BN-VAE, Zhu et al. 2020). m and s are those of the rows while
    training, and running averages over the steps of all updates when the module is in evaluation
    mode, so that the bound of a sequence does not depend on the others in its batch. In these
    averages a step weighs as much as it has rows: at the end of the longest sequences few are left.

    Parameters
    ----------
    size
        H, the size of a mean.
    scale
        The standard deviation that the means get.
    momentum
        Share of the running averages that a step replaces which all sequences of the batch have.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, size: int, *, scale: float = 0.5, momentum: float = 0.001) -> None:
        super().__init__()
        self.scale = scale
        self.momentum = momentum
        self.shift = nn.Parameter(torch.zeros(size))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("variance", torch.ones(size))

    def forward(self, loc: Tensor, mask: Tensor) -> Tensor:
        """Return the normalised means.

        Parameters
        ----------
        loc
            The means, [S B, H], all of a particle side by side.
        mask
            Which sequences have the step, [B].
        """
        mean, variance = self.mean, self.variance
        if self.training:
            # A single sequence has no variance; it is normalised by what others had.
            several = mask.sum() > 1
            rows = mask.repeat(len(loc) // len(mask))  # [S B]
            weights = (rows / rows.sum().clamp_min(1)).unsqueeze(-1)  # [S B, 1]
            own_mean = (weights * loc).sum(0)  # [H]
            own_variance = (weights * (loc - own_mean) ** 2).sum(0)
            mean = torch.where(several, own_mean, mean)
            variance = torch.where(several, own_variance, variance)
            with torch.no_grad():
                share = self.momentum * mask.to(loc).mean()
                self.mean.lerp_(mean, share)
                self.variance.lerp_(variance, share)
        return self.scale * (loc - mean) * (variance + _EPSILON).rsqrt() + self.shift
