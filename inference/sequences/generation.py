"""Sequences that a trained model draws, from nothing or from a beginning."""

from __future__ import annotations

import torch
from torch import Tensor

from inference.modes import as_trained
from inference.seeded import seeded
from inference.sequences.objective import SequenceObjective
from pyro_nem.checks import at_least
from pyro_nem.data import SequenceBatch, SequenceSet
from pyro_nem.errors import ConfigError

__all__ = ["continue_sequences", "draw_sequences"]


def draw_sequences(
    objective: SequenceObjective, count: int, steps: int, *, seed: int = 0
) -> Tensor:
    """Return sequences that the model draws, [T, B, D].

    Parameters
    ----------
    objective
        The model.
    count, steps
        B and T.
    seed
        Seed of the draws.

    Raises
    ------
    ConfigError
        If a number is below 1.
    """
    at_least(1, count=count, steps=steps)
    with as_trained(objective), torch.no_grad(), seeded(seed):
        return objective.model.imagine(objective.model.initial(count), steps)


def continue_sequences(
    objective: SequenceObjective, beginning: SequenceBatch, steps: int, *, seed: int = 0
) -> Tensor:
    """Return sequences of which the model has drawn what follows a beginning.

    Latents of the beginning are drawn from the guide.

    Parameters
    ----------
    objective
        Model and guide.
    beginning
        Sequences that all have the same length T, in the units of its training.
    steps
        N, the steps to draw.
    seed
        Seed of the draws.

    Returns
    -------
    Tensor
        Beginning and draws, [T + N, B, D].

    Raises
    ------
    ConfigError, DataError
        If lengths differ, there is nothing to draw, or the beginning does not fit the model; see
        :meth:`SequenceVRNN.check`.
    """
    at_least(1, steps=steps)
    if not bool(beginning.mask.all()):
        raise ConfigError(
            "beginning: expected sequences of one length, got lengths "
            f"{sorted(set(beginning.lengths.tolist()))}; cut them, or continue them one by one"
        )
    known = beginning.x.detach().cpu().numpy().swapaxes(0, 1)  # [B, T, D]
    objective.model.check(SequenceSet("beginning", list(known)))
    beginning = beginning.to(next(objective.parameters()))
    with as_trained(objective), torch.no_grad(), seeded(seed):
        rollout = objective.guide.rollout(beginning)
        drawn = objective.model.imagine(rollout.final, steps, beginning.x[-1])
        return torch.cat([beginning.x, drawn])
