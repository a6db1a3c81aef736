"""Pixel laws: the density of one pixel given the parameters of its component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import pyro.distributions as dist
import torch
from torch import Tensor

from pyro_nem.errors import ConfigError

__all__ = ["BernoulliPixels", "GaussianPixels", "PixelLaw"]

# The paper's code clips probabilities here, before every logarithm.
_CLIP = 1e-6

# A predicted pixel counts as on above this (code of van Steenkiste et al. 2018).
_ON = 0.1


class PixelLaw(Protocol):
    """The density p(x_i | psi_ik) of a pixel, channels being its event."""

    def distribution(self, psi: Tensor) -> dist.TorchDistribution:
        """Return the law of pixels with parameters ``psi`` [..., C]; event shape [C]."""
        ...

    def divergence_from_background(self, psi: Tensor) -> Tensor:
        """Return KL(black pixel || psi) summed over channels, [..., C] -> [...], in nats."""
        ...

    def imagined(self, psi: Tensor) -> Tensor:
        """Return the frame that components show together, [..., K, D, C] -> [..., D, C].

        It stands for a frame that nobody has seen, when a guide predicts.
        """
        ...


@dataclass(frozen=True)
class BernoulliPixels:
    """Parameterises p(x_i | psi_ik) = prod_c Bernoulli(x_ic; psi_ikc), psi a probability.

    psi is clipped to [1e-6, 1 - 1e-6], as in the paper's code (loss of section 3.2), so the
    log-likelihood of a pixel is never below -13.8 nats and the gradient outside is zero.
    """

    def distribution(self, psi: Tensor) -> dist.TorchDistribution:
        """Return Bernoulli(psi) with the channels of ``psi`` [..., C] as its event."""
        clipped = psi.clamp(_CLIP, 1.0 - _CLIP)
        return _BernoulliByProbability(clipped).to_event(1)

    def divergence_from_background(self, psi: Tensor) -> Tensor:
        """Return KL(Bernoulli(0) || Bernoulli(psi)) = -log(1 - psi), [..., C] -> [...]."""
        return -torch.log1p(-psi.clamp(max=1.0 - _CLIP)).sum(-1)

    def imagined(self, psi: Tensor) -> Tensor:
        """Return the pixels that some component turns on, [..., K, D, C] -> [..., D, C]."""
        return (psi.amax(-3) > _ON).to(psi)


class _BernoulliByProbability(dist.Bernoulli):  # type: ignore[misc]  # pyro is untyped
    """A Bernoulli law that scores values in two vectorised passes over the probabilities.

    PyTorch's own turns probabilities into logits and back, over K T B D numbers, and its
    ``binary_cross_entropy`` takes ten times as long on a CPU. Grey values in (0, 1) are allowed and
    scored by their cross-entropy, so nothing is validated. Probabilities lie strictly in (0, 1).
    """

    def __init__(self, probs: Tensor) -> None:
        super().__init__(probs=probs, validate_args=False)

    def expand(self, batch_shape: torch.Size, _instance: Any = None) -> _BernoulliByProbability:
        return _BernoulliByProbability(self.probs.expand(batch_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        # x log p + (1 - x) log(1 - p)
        return torch.addcmul(torch.log1p(-self.probs), value, torch.logit(self.probs))


@dataclass(frozen=True)
class GaussianPixels:
    """Parameterises p(x_i | psi_ik) = prod_c Normal(x_ic; psi_ikc, sigma).

    The original code uses a standard deviation of 0.25 in the E-step and of 1 in the loss, which
    is no single model. Here one sigma serves both, so that the bound is a bound.

    Parameters
    ----------
    sigma
        Standard deviation of a pixel, in units of the pixel values.
    """

    sigma: float = 0.25

    def __post_init__(self) -> None:
        if not self.sigma > 0.0:
            raise ConfigError(
                f"sigma: expected a positive standard deviation, got {self.sigma}; "
                "the original uses 0.25"
            )

    def distribution(self, psi: Tensor) -> dist.TorchDistribution:
        """Return Normal(psi, sigma) with the channels of ``psi`` [..., C] as its event."""
        # A number would be copied to the device for each call.
        return dist.Normal(psi, psi.new_full((), self.sigma)).to_event(1)

    def divergence_from_background(self, psi: Tensor) -> Tensor:
        """Return KL(Normal(psi, sigma) || Normal(0, sigma)), [..., C] -> [...]."""
        return psi.square().sum(-1) / (2.0 * self.sigma**2)

    def imagined(self, psi: Tensor) -> Tensor:
        """Return each pixel as the component shows it that is farthest from black.

        Not the maximum of each channel: of a red and a green component it would make yellow.
        """
        brightest = psi.square().sum(-1).argmax(-2, keepdim=True)  # [..., 1, D]
        return psi.take_along_dim(brightest.unsqueeze(-1), -3).squeeze(-3)  # [..., D, C]
