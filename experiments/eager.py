"""RNN-EM written by hand in eager PyTorch, without Pyro: what the speed is measured against.

The same networks and the same loss as model, guide and objective; the enumeration, the bound and
the regulariser are spelled out.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from pyro_nem.data import Clip
from pyro_nem.networks import Cell

__all__ = ["EagerLoss", "EagerRNNEM"]

_CLIP = 1e-6


class EagerLoss(NamedTuple):
    """Loss, its two parts, and the responsibilities of every step [T, B, K, D]."""

    loss: Tensor
    negative_bound: Tensor
    inter: Tensor
    gamma: Tensor


class EagerRNNEM(nn.Module):
    """RNN-EM for Bernoulli frames of one channel and uniform mixing weights.

    Parameters
    ----------
    encoder, cell, decoder
        The networks of a component; see :mod:`pyro_nem.networks`.
    num_components
        K.
    inter_weight
        Weight of the inter-cluster term.
    gradient_gamma
        Back-propagate through the responsibilities.
    """

    def __init__(
        self,
        encoder: nn.Module,
        cell: Cell,
        decoder: nn.Module,
        num_components: int,
        *,
        inter_weight: float = 1.0,
        gradient_gamma: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.cell = cell
        self.decoder = decoder
        self.num_components = num_components
        self.inter_weight = inter_weight
        self.gradient_gamma = gradient_gamma

    def forward(self, clip: Clip, generator: Generator | None = None) -> EagerLoss:
        """Return the loss of a clip, summed over steps and averaged over the batch."""
        inputs, targets = clip.inputs.squeeze(-1), clip.targets.squeeze(-1)  # [T, B, D]
        steps, batch, pixels = inputs.shape
        shape = (batch, self.num_components, pixels)
        noise = torch.randn(shape, generator=generator, dtype=inputs.dtype, device=inputs.device)
        gamma = noise.abs()
        gamma = gamma / gamma.sum(1, keepdim=True)  # [B, K, D]
        psi = inputs.new_zeros(shape)  # [B, K, D]
        hidden, _ = self.cell.initial(psi.flatten(0, 1))  # [B K, H]
        negative_bound = inputs.new_zeros(())
        inter = inputs.new_zeros(())
        gammas = []
        for t in range(steps):
            masked = gamma * (inputs[t].unsqueeze(1) - psi)  # [B, K, D]
            features = self.encoder(masked.flatten(0, 1).unsqueeze(-1))  # [B K, F]
            hidden, theta = self.cell(features, hidden)  # [B K, H]
            psi = self.decoder(theta).view(shape)  # [B, K, D]
            likelihood = self._likelihood(psi, targets[t])  # [B, K, D]
            evidence = likelihood.sum(1)  # [B, D]
            gamma = likelihood / evidence.unsqueeze(1)
            if not self.gradient_gamma:
                gamma = gamma.detach()
            gammas.append(gamma)
            negative_bound = negative_bound - (evidence / self.num_components).log().sum() / batch
            divergence = -torch.log1p(-psi.clamp(max=1.0 - _CLIP))  # [B, K, D]
            inter = inter + ((1.0 - gamma) * divergence).sum() / batch
        loss = negative_bound + self.inter_weight * inter
        return EagerLoss(loss, negative_bound, inter, torch.stack(gammas))

    @staticmethod
    def _likelihood(psi: Tensor, target: Tensor) -> Tensor:
        clipped = psi.clamp(_CLIP, 1.0 - _CLIP)
        x = target.unsqueeze(1)  # [B, 1, D]
        return x * clipped + (1.0 - x) * (1.0 - clipped)
