"""The protocol of guides, and the parts that every recurrent guide shares.

A guide inverts the spatial mixture: it maps a clip to states of the components. It never inherits
from another guide; what guides share are the functions of this file.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import pyro
import pyro.distributions as dist
import torch
from torch import Generator, Tensor

from inference.e_step import responsibilities
from models import Rollout, SpatialMixture
from pyro_nem.data import Clip

__all__ = ["Guide", "GuideState", "ModelLink", "initial_state", "register_states", "unroll"]


class GuideState(NamedTuple):
    """The state of a recurrent guide after one step.

    Attributes
    ----------
    hidden
        What the recurrence carries, [B, K, H].
    theta
        The component states that the model's sites see, in [0, 1], [B, K, H].
    psi
        The decoded pixel parameters, [B, K, D, C].
    gamma
        The responsibilities, [B, K, D].
    """

    hidden: Tensor
    theta: Tensor
    psi: Tensor
    gamma: Tensor


class Guide(Protocol):
    """The contract of a guide for :class:`models.SpatialMixture`; implement it in an nn.Module."""

    def init(self, batch: int, generator: Generator | None = None) -> GuideState:
        """Return the state before the first frame; ``generator`` breaks the symmetry."""
        ...

    def step(
        self, state: GuideState, inputs: Tensor, targets: Tensor, observed: Tensor | None = None
    ) -> GuideState:
        """Take in one noisy frame [B, D, C] and explain the clean next one [B, D, C]."""
        ...

    def rollout(self, clip: Clip, generator: Generator | None = None) -> Rollout:
        """Run the recurrence over a clip."""
        ...

    def __call__(self, clip: Clip, rollout: Rollout | None = None) -> Any:
        """Register the Pyro sites of the guide, from ``rollout`` if it is given."""
        ...


class ModelLink:
    """A reference to the model that does not make the guide own the model's parameters.

    An attribute that is an nn.Module would be registered as a child: the decoder's weights would
    then appear twice in the state dict of a module that holds model and guide.
    """

    def __init__(self, model: SpatialMixture) -> None:
        self.model = model


def initial_state(
    model: SpatialMixture, hidden: Tensor, theta: Tensor, generator: Generator | None
) -> GuideState:
    """Return the state before the first frame: psi = 0 and random responsibilities.

    gamma_0 = |N(0, 1)| normalised over K, independent for each pixel: the only thing that breaks
    the symmetry between the components (code of Greff et al. 2017).

    Parameters
    ----------
    model
        The model, for its shapes.
    hidden, theta
        Initial states, [B, K, H].
    generator
        Source of gamma_0, on the states' device; None uses PyTorch's global one.
    """
    batch, num_components = hidden.shape[:2]
    shape = (batch, num_components, model.num_pixels)
    noise = torch.randn(shape, generator=generator, dtype=hidden.dtype, device=hidden.device).abs()
    gamma = noise / noise.sum(1, keepdim=True)  # [B, K, D]
    psi = hidden.new_zeros(*shape, model.num_channels)  # [B, K, D, C]
    return GuideState(hidden, theta, psi, gamma)


def e_step(
    model: SpatialMixture,
    psi: Tensor,
    targets: Tensor,
    observed: Tensor | None,
    *,
    gradient: bool,
) -> Tensor:
    """Return gamma [B, K, D] against the clean next frame, with or without its gradient."""
    if gradient:
        return responsibilities(model, psi, targets, observed)
    with torch.no_grad():
        return responsibilities(model, psi, targets, observed)


def unroll(guide: Guide, clip: Clip, generator: Generator | None) -> Rollout:
    """Run ``guide.step`` over the clip and stack the states over time."""
    steps, batch = clip.inputs.shape[:2]
    state = guide.init(batch, generator)
    initial_gamma = state.gamma
    states = []
    for t in range(steps):
        observed = None if clip.observed is None else clip.observed[t]
        state = guide.step(state, clip.inputs[t], clip.targets[t], observed)
        states.append(state)
    return Rollout(
        theta=torch.stack([s.theta for s in states]),  # [T, B, K, H]
        psi=torch.stack([s.psi for s in states]),  # [T, B, K, D, C]
        gamma=torch.stack([s.gamma for s in states]),  # [T, B, K, D]
        initial_gamma=initial_gamma,  # [B, K, D]
    )


def register_states(rollout: Rollout) -> None:
    """Register q(theta) = Delta(theta) with the plates of the model."""
    steps, batch = rollout.theta.shape[:2]
    with pyro.plate("time", steps, dim=-3), pyro.plate("batch", batch, dim=-2):
        law = dist.Delta(rollout.theta.unsqueeze(-3), event_dim=2)  # [T, B, 1, K, H]
        pyro.sample("theta", law)
