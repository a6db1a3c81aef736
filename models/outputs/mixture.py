"""A vector with a law of several diagonal Gaussians."""

from __future__ import annotations

import pyro.distributions as dist
from torch import Tensor, nn

from models.recurrent_prior import MIN_SCALE, gaussian_head
from pyro_nem.checks import at_least
from pyro_nem.data import SequenceSet

__all__ = ["GaussianMixtureOutput"]


class GaussianMixtureOutput(nn.Module):
    """Parameterises p(x_t | raw) = sum_k pi_k Normal(loc_k, scale_k), each diagonal.

    One component explains the whole step, as in Chung et al. (2015).

    Parameters
    ----------
    size
        D, the numbers of a step.
    components
        K.
    min_scale
        See :class:`GaussianOutput`.

    Raises
    ------
    ConfigError
        If a size is below 1, or ``min_scale`` below 0.
    """

    def __init__(self, size: int, components: int = 20, *, min_scale: float = MIN_SCALE) -> None:
        super().__init__()
        at_least(1, size=size, components=components)
        at_least(0, min_scale=min_scale)
        self.size = self.num_inputs = size
        self.components = components
        self.num_parameters = components * (1 + 2 * size)
        self.min_scale = min_scale

    def check(self, data: SequenceSet) -> None:
        """Accept any set: its numbers are finite, and every finite one is possible."""

    def features(self, x: Tensor) -> Tensor:
        """Return x itself."""
        return x

    def law(self, raw: Tensor, before: Tensor | None = None) -> dist.TorchDistribution:
        """Return the law of the vector; see the class."""
        weights, rest = raw.split([self.components, 2 * self.components * self.size], dim=-1)
        heads = rest.unflatten(-1, (self.components, 2 * self.size))  # [..., K, 2 D]
        loc, scale = gaussian_head(heads, self.min_scale)  # [..., K, D] each
        return dist.MixtureSameFamily(
            dist.Categorical(logits=weights), dist.Normal(loc, scale).to_event(1)
        )
