"""What trivial models say of sequences of bits, to be beaten."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data import SequenceSet

__all__ = ["independent_bits", "markov_bits"]


def independent_bits(training: SequenceSet, test: SequenceSet) -> float:
    """Return -log p(test) in nats a step if every bit is drawn by its frequency in training.

    Frequencies (n + 1/2) / (N + 1) are those of a Jeffreys prior, so that no bit is impossible.
    """
    frequencies = _frequencies(*_counts(training.sequences))
    return _surprise(test, [frequencies[np.zeros(len(x), int)] for x in test.sequences])


def markov_bits(training: SequenceSet, test: SequenceSet) -> float:
    """Return -log p(test) in nats a step if every bit depends on itself one step before.

    Before the first step all bits are 0; frequencies as in :func:`independent_bits`.
    """
    before = [_before(x) for x in training.sequences]
    frequencies = _frequencies(*_counts(training.sequences, before))  # [2, D]
    columns = np.arange(training.size)
    return _surprise(test, [frequencies[_before(x), columns] for x in test.sequences])


def _before(x: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros_like(x[:1]), x[:-1]]).astype(np.int64)


def _counts(
    sequences: Sequence[NDArray[np.uint8]], before: list[NDArray[np.int64]] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how often each bit was 1 and how often it was seen, by what stood before: [2, D]."""
    x = np.concatenate(sequences).astype(np.float64)  # [N, D]
    state = np.zeros(x.shape, np.int64) if before is None else np.concatenate(before)
    ones = np.stack([(x * (state == value)).sum(0) for value in (0, 1)])
    return ones, np.stack([(state == value).sum(0) for value in (0, 1)]).astype(np.float64)


def _frequencies(ones: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    return (ones + 0.5) / (seen + 1.0)


def _surprise(test: SequenceSet, probabilities: list[NDArray[np.float64]]) -> float:
    total = 0.0
    for x, p in zip(test.sequences, probabilities, strict=True):
        total -= float(np.log(np.where(x > 0, p, 1.0 - p)).sum())
    return total / test.num_steps
