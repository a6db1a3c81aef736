"""A vector with a diagonal Gaussian law."""

from __future__ import annotations

import pyro.distributions as dist
from torch import Tensor, nn

from models.recurrent_prior import MIN_SCALE, gaussian_head
from pyro_nem.checks import at_least
from pyro_nem.data import SequenceSet

__all__ = ["GaussianOutput"]


class GaussianOutput(nn.Module):
    """Parameterises p(x_t | raw) = Normal(loc, scale), diagonal.

    Parameters
    ----------
    size
        D, the numbers of a step.
    min_scale
        Smallest standard deviation, at least 0. A density grows without bound where data repeat
        exactly.

    Raises
    ------
    ConfigError
        If the size is below 1, or ``min_scale`` below 0.
    """

    def __init__(self, size: int, *, min_scale: float = MIN_SCALE) -> None:
        super().__init__()
        at_least(1, size=size)
        at_least(0, min_scale=min_scale)
        self.size = self.num_inputs = size
        self.num_parameters = 2 * size
        self.min_scale = min_scale

    def check(self, data: SequenceSet) -> None:
        """Accept any set: its numbers are finite, and every finite one is possible."""

    def features(self, x: Tensor) -> Tensor:
        """Return x itself."""
        return x

    def law(self, raw: Tensor, before: Tensor | None = None) -> dist.TorchDistribution:
        """Return the law of the vector; see the class."""
        loc, scale = gaussian_head(raw, self.min_scale)  # [..., D] each
        return dist.Normal(loc, scale).to_event(1)
