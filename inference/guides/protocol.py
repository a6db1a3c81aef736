"""What a guide is to model and objective, and how it registers its sites."""

from __future__ import annotations

from typing import Any, Protocol

import pyro
import pyro.distributions as dist
from torch import Generator

from inference.guides.drawn_normal import DrawnNormal
from models import Rollout
from pyro_nem.data import Clip

__all__ = ["Guide", "register_states"]


class Guide(Protocol):
    """The contract of a guide for :class:`models.SpatialMixture`; implement it in an nn.Module.

    Recurrent guides derive from :class:`inference.guides.RecurrentGuide`, which leaves ``init`` and
    ``step`` to do.
    """

    def rollout(
        self, clip: Clip, generator: Generator | None = None, particles: int = 1
    ) -> Rollout:
        """Compute the states that explain a clip, S of them if the guide is stochastic."""
        ...

    def __call__(self, clip: Clip, rollout: Rollout | None = None) -> Any:
        """Register the Pyro sites of the guide, from ``rollout`` if it is given."""
        ...


def register_states(rollout: Rollout) -> None:
    """Register the site "theta" with the plates of the model.

    A point mass at the rollout's states, or the Gaussian that they were drawn from.
    """
    steps, batch = rollout.theta.shape[-4:-2]
    theta = rollout.theta.unsqueeze(-3)  # [(S,) T, B, 1, K, H]
    law: dist.TorchDistribution
    if rollout.posterior is None:
        law = dist.Delta(theta, event_dim=2)
    else:
        loc, scale = (part.unsqueeze(-3) for part in rollout.posterior)  # [(S,) T, B, 1, K, H]
        law = DrawnNormal(loc, scale, theta).to_event(2)
    with pyro.plate("time", steps, dim=-3), pyro.plate("batch", batch, dim=-2):
        pyro.sample("theta", law)
