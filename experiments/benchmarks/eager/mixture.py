"""Neural expectation maximization by hand: the loop and the loss that all twins share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from pyro_nem.data import Clip

__all__ = ["EagerLoss", "EagerMixture", "EagerState"]

_CLIP = 1e-6


class EagerLoss(NamedTuple):
    """Loss, its two parts, and the responsibilities of every step [T, B, K, D]."""

    loss: Tensor
    negative_bound: Tensor
    inter: Tensor
    gamma: Tensor


class EagerState(NamedTuple):
    """What a step leaves.

    Attributes
    ----------
    hidden
        What the recurrence carries, [B, K, G].
    theta
        The component states, [B, K, H].
    psi
        Probabilities of the pixels, [B, K, D].
    divergence
        log q(theta) - log p(theta) of the whole batch, a scalar; None for a point mass.
    """

    hidden: Tensor
    theta: Tensor
    psi: Tensor
    divergence: Tensor | None


class EagerMixture(nn.Module, ABC):
    """N-EM for Bernoulli frames of one channel and uniform mixing weights.

    Parameters
    ----------
    decoder
        Maps states [N, H] to probabilities [N, D, 1].
    num_components
        K.
    inter_weight
        Weight of the inter-cluster term.
    gradient_gamma
        Back-propagate through the responsibilities.
    """

    def __init__(
        self,
        decoder: nn.Module,
        num_components: int,
        *,
        inter_weight: float = 1.0,
        gradient_gamma: bool = False,
    ) -> None:
        super().__init__()
        self.decoder = decoder
        self.num_components = num_components
        self.inter_weight = inter_weight
        self.gradient_gamma = gradient_gamma

    @abstractmethod
    def initial(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return hidden [B, K, G] and theta [B, K, H] before the start, for ``like`` [B, K, 0]."""

    @abstractmethod
    def m_step(self, masked: Tensor, state: EagerState, generator: Generator | None) -> EagerState:
        """Take in the masked residual [B, K, D] of one frame."""

    def decode(self, states: Tensor) -> Tensor:
        """Return psi [B, K, D] of states [B, K, H]."""
        psi: Tensor = self.decoder(states.flatten(0, 1))  # [B K, D, 1]
        return psi.view(*states.shape[:2], -1)  # [B, K, D]

    def forward(self, clip: Clip, generator: Generator | None = None) -> EagerLoss:
        """Return the loss of a clip, summed over steps and averaged over the batch."""
        inputs, targets = clip.inputs.squeeze(-1), clip.targets.squeeze(-1)  # [T, B, D]
        steps, batch, pixels = inputs.shape
        shape = (batch, self.num_components, pixels)
        noise = torch.randn(shape, generator=generator, dtype=inputs.dtype, device=inputs.device)
        gamma = noise.abs()
        gamma = gamma / gamma.sum(1, keepdim=True)  # [B, K, D]
        hidden, theta = self.initial(inputs.new_empty(*shape[:2], 0))
        state = EagerState(hidden, theta, inputs.new_zeros(shape), None)
        negative_bound = inputs.new_zeros(())
        inter = inputs.new_zeros(())
        gammas = []
        for t in range(steps):
            masked = gamma * (inputs[t].unsqueeze(1) - state.psi)  # [B, K, D]
            state = self.m_step(masked, state, generator)
            likelihood = self._likelihood(state.psi, targets[t])  # [B, K, D]
            evidence = likelihood.sum(1)  # [B, D]
            gamma = likelihood / evidence.unsqueeze(1)
            if not self.gradient_gamma:
                gamma = gamma.detach()
            gammas.append(gamma)
            negative_bound = negative_bound - (evidence / self.num_components).log().sum() / batch
            if state.divergence is not None:
                negative_bound = negative_bound + state.divergence / batch
            black = -torch.log1p(-state.psi.clamp(max=1.0 - _CLIP))  # [B, K, D]
            inter = inter + ((1.0 - gamma) * black).sum() / batch
        loss = negative_bound + self.inter_weight * inter
        return EagerLoss(loss, negative_bound, inter, torch.stack(gammas))

    @staticmethod
    def _likelihood(psi: Tensor, target: Tensor) -> Tensor:
        clipped = psi.clamp(_CLIP, 1.0 - _CLIP)
        x = target.unsqueeze(1)  # [B, 1, D]
        return x * clipped + (1.0 - x) * (1.0 - clipped)
