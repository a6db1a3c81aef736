"""How much each step counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from pyro_nem.checks import one_of
from pyro_nem.errors import ConfigError

__all__ = ["StepWeights", "resolve_step_weights", "weigh_steps"]

_Named = Literal["all", "last"]

StepWeights = _Named | tuple[float, ...]


def resolve_step_weights(weights: StepWeights, steps: int) -> tuple[float, ...]:
    """Return one weight for each of T steps.

    Parameters
    ----------
    weights
        "all" (1 for each step, the paper's choice for sequences), "last" (only the last step
        counts, its choice for static images), or a tuple of T numbers.
    steps
        T.

    Raises
    ------
    ConfigError
        If a name is unknown, or a list has another length than T, a negative or non-finite entry,
        or only zeros.
    """
    if isinstance(weights, str):
        one_of(_Named, step_weights=weights)
    if weights == "all":
        return (1.0,) * steps
    if weights == "last":
        return (0.0,) * (steps - 1) + (1.0,)
    values = tuple(float(w) for w in weights)
    if len(values) != steps:
        raise ConfigError(f"step_weights: expected {steps} weights, one a step, got {len(values)}")
    if not all(0.0 <= w < float("inf") for w in values) or not any(values):
        raise ConfigError(
            f"step_weights: expected finite weights >= 0, not all zero, got {list(values)}"
        )
    return values


def weigh_steps(values: Tensor, weights: Sequence[float], dim: int) -> Tensor:
    """Return the weighted sum of values over their dimension of steps.

    Weights are numbers and not a tensor, which would have to be copied to the device. Steps of
    weight 0 are left out, whatever their value.
    """
    if all(weight == weights[0] for weight in weights):
        return weights[0] * values.sum(dim)
    kept = [(t, weight) for t, weight in enumerate(weights) if weight != 0.0]
    return torch.stack([weight * values.select(dim, t) for t, weight in kept]).sum(0)
