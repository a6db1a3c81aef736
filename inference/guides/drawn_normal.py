"""A Gaussian that has already been drawn."""

from __future__ import annotations

from typing import Any

import pyro.distributions as dist
import torch
from torch import Tensor

__all__ = ["DrawnNormal"]

_SCALAR = torch.Size()


class DrawnNormal(dist.Normal):  # type: ignore[misc]  # pyro is untyped
    """Normal(loc, scale) whose draw was made before, where the recurrence needed it.

    The site of a recurrent guide stands for all steps at once, but the law of a step depends on
    the draws of earlier ones. So the recurrence draws, and the site scores. Everything else, the
    closed form of the divergence included, is that of a Gaussian.

    Parameters
    ----------
    loc, scale
        The law.
    value
        The reparameterised draw, loc + scale * noise, of the same shape.
    """

    def __init__(self, loc: Tensor, scale: Tensor, value: Tensor) -> None:
        super().__init__(loc, scale)
        self.value = value

    def expand(self, batch_shape: torch.Size, _instance: Any = None) -> DrawnNormal:
        """Return the law over a larger batch, every copy with the same draw."""
        parts = (part.expand(batch_shape) for part in (self.loc, self.scale, self.value))
        return DrawnNormal(*parts)

    def sample(self, sample_shape: torch.Size = _SCALAR) -> Tensor:
        """Return the draw without its gradient."""
        return self.rsample(sample_shape).detach()

    def rsample(self, sample_shape: torch.Size = _SCALAR) -> Tensor:
        """Return the draw; there is only this one."""
        return self.value.expand(self._extended_shape(sample_shape))
