"""What simple models say of movements of a pen, to be beaten."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyro_nem.checks import at_least
from pyro_nem.data import SequenceSet

__all__ = ["linear_moves"]


def linear_moves(training: SequenceSet, test: SequenceSet, *, order: int) -> float:
    """Return -log p(test) in nats a step if movements are predicted linearly from those before.

    What is left of (dx, dy) is Gaussian with the training covariance; whether the pen is lifted is
    drawn by its frequency in training, given whether it was a step before.

    Parameters
    ----------
    training, test
        Sequences of rows (pen, dx, dy); what counts is their units in batches.
    order
        The steps before that are looked at; with 0 movements are independent, and the pen too.

    Raises
    ------
    ConfigError
        The order is below 0.
    """
    at_least(0, order=order)
    seen, past = _pairs(training, order)
    weights = np.linalg.lstsq(past, seen[:, 1:], rcond=None)[0]
    left = seen[:, 1:] - past @ weights
    covariance = left.T @ left / len(left)
    # As if both kinds had been seen half a time more.
    lifted = past[:, 1] > 0.5 if order else np.zeros(len(past), bool)
    frequency = np.array(
        [(seen[lifted == kind, 0].sum() + 0.5) / ((lifted == kind).sum() + 1.0) for kind in (0, 1)]
    )
    asked, before = _pairs(test, order)
    error = asked[:, 1:] - before @ weights
    squares = np.einsum("ni,ij,nj->n", error, np.linalg.inv(covariance), error)
    _, log_volume = np.linalg.slogdet(2.0 * np.pi * covariance)
    after = before[:, 1] > 0.5 if order else np.zeros(len(before), bool)
    chance = frequency[after.astype(int)]
    pen = np.where(asked[:, 0] > 0.5, np.log(chance), np.log1p(-chance))
    return float((0.5 * (squares + log_volume) - pen).mean())


def _pairs(source: SequenceSet, order: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return all steps `[N, 3]`, and 1 beside the steps before each, `[N, 1 + 3 order]`."""
    steps, before = [], []
    for x in source.scaled():
        padded = np.concatenate([np.zeros((order, 3)), x])
        lagged = [padded[order - back : len(padded) - back] for back in range(1, order + 1)]
        steps.append(x)
        before.append(np.concatenate([np.ones((len(x), 1)), *lagged], axis=1))
    return np.concatenate(steps), np.concatenate(before)
