"""The state of a recurrent guide, and states of many steps as one rollout."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from torch import Tensor

from inference.particles import stack_steps
from models import Rollout, StateLaw

__all__ = ["GuideState", "own_frame", "stack_states"]


class GuideState(NamedTuple):
    """The state of a recurrent guide after one step.

    Attributes
    ----------
    hidden
        What the recurrence carries, [B, K, G].
    theta
        The component states that the model's sites see, [B, K, H].
    psi
        The decoded pixel parameters, [B, K, D, C].
    gamma
        The responsibilities, [B, K, D].
    context
        What the model's prior and decoder knew before the step, [B, K, G], if they know anything.
    posterior
        The law that theta was drawn from; None for a point mass.
    """

    hidden: Tensor
    theta: Tensor
    psi: Tensor
    gamma: Tensor
    context: Tensor | None = None
    posterior: StateLaw | None = None


def stack_states(
    states: Sequence[GuideState], initial_gamma: Tensor, particles: int = 1
) -> Rollout:
    """Return the states of T steps as a rollout.

    Parameters
    ----------
    states
        One for each step; their rows are the S B sequences, all of a particle side by side.
    initial_gamma
        The responsibilities that the recurrence started from, [B, K, D].
    particles
        S; 1 gives a rollout without the particle axis.
    """
    stack = partial(stack_steps, particles=particles)
    contexts = [s.context for s in states if s.context is not None]
    laws = [s.posterior for s in states if s.posterior is not None]
    posterior = None
    if laws:
        posterior = StateLaw(stack([law.loc for law in laws]), stack([law.scale for law in laws]))
    return Rollout(
        theta=stack([s.theta for s in states]),
        psi=stack([s.psi for s in states]),
        gamma=stack([s.gamma for s in states]),
        initial_gamma=initial_gamma,
        context=stack(contexts) if contexts else None,
        posterior=posterior,
    )


def own_frame(state: GuideState) -> Tensor:
    """Return the frame that a state predicts, sum_k gamma_k psi_k, [B, D, C]."""
    return (state.gamma.unsqueeze(-1) * state.psi).sum(1)
