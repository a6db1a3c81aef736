"""The learned prior over component states of a variational recurrent network."""

from __future__ import annotations

import pyro.distributions as dist
from torch import Tensor, nn
from torch.nn import functional as F

from models.rollout import StateLaw
from pyro_nem.checks import at_least
from pyro_nem.errors import ConfigError

__all__ = ["MIN_SCALE", "RecurrentPrior", "gaussian_head"]

MIN_SCALE = 1e-3
"""Smallest standard deviation of a state. Without a floor a density can grow without bound."""

# softplus(0.5413) = 1: but for the smallest scale, heads start as standard normal laws.
_UNIT = 0.5413


class RecurrentPrior(nn.Module):
    """Parameterises p(theta_tk | h_{t-1,k}) = Normal(loc(h), scale(h)), diagonal.

    h is what the recurrence of the component carried before the step; every component has the same
    network. Source: Chung et al. (2015), equation 5.

    Parameters
    ----------
    state_size
        H, the size of theta.
    context_size
        G, the size of h.
    hidden
        Width of the hidden layer.

    Raises
    ------
    ConfigError
        If a size is below 1.
    """

    def __init__(self, state_size: int, context_size: int, *, hidden: int = 128) -> None:
        super().__init__()
        at_least(1, state_size=state_size, context_size=context_size, hidden=hidden)
        self.state_size = state_size
        self.context_size = context_size
        self.layers = nn.Sequential(
            nn.Linear(context_size, hidden), nn.LayerNorm(hidden), nn.ReLU()
        )
        self.head = nn.Linear(hidden, 2 * state_size)

    def law(self, context: Tensor) -> StateLaw:
        """Return loc and scale [..., H] given the context [..., G]."""
        return gaussian_head(self.head(self.layers(context)))

    def forward(
        self, context: Tensor | None, shape: tuple[int, int], like: Tensor
    ) -> dist.TorchDistribution:
        """Return the law of the states; see :class:`models.StatePrior`."""
        if context is None:
            raise ConfigError(
                "context: expected the recurrent state [(S,) T, B, 1, K, G] that this prior is a "
                "function of, got None"
            )
        law = self.law(context)  # [(S,) T, B, 1, K, H]
        return dist.Normal(law.loc, law.scale).to_event(2)


def gaussian_head(raw: Tensor, min_scale: float = MIN_SCALE) -> StateLaw:
    """Return loc and scale of a layer's output [..., 2 H]; 0 gives Normal(0, 1 + min_scale)."""
    loc, scale = raw.chunk(2, dim=-1)  # [..., H] each
    return StateLaw(loc, F.softplus(scale + _UNIT) + min_scale)
