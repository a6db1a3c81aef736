"""What counting symbols says of sequences of them, to be beaten."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyro_nem.checks import at_least
from pyro_nem.data import SequenceSet

__all__ = ["ngram_symbols"]

# Of the shorter context in the estimate of the longer one, counted in symbols.
_WEIGHT = 2.0


def ngram_symbols(training: SequenceSet, test: SequenceSet, *, symbols: int, order: int) -> float:
    """Return -log p(test) in nats a symbol if each depends on the `order - 1` before it.

    Frequencies are counted in training and smoothed by those of the context that is one shorter, as
    if it had been seen twice more: p(s | c) = (n(c, s) + 2 p(s | c')) / (n(c) + 2). The shortest is
    the uniform law.

    Parameters
    ----------
    training, test
        Sequences `[steps, 1]` of numbers from 0 to `symbols - 1`.
    symbols
        V, the number of symbols.
    order
        1 for single symbols, 2 for pairs, ...; `(V + 1) ** order` has to fit into 64 bits.

    Raises
    ------
    ConfigError
        A number is below 1.
    """
    at_least(1, symbols=symbols, order=order)
    seen, asked = (_keys(source, symbols, order) for source in (training, test))
    probability = np.full(test.num_steps, 1.0 / symbols)
    for length in range(order):
        counts = _counts(seen[length + 1], asked[length + 1])
        # What stands before a symbol, whichever symbol it is.
        contexts = _counts(seen[length + 1] // (symbols + 1), asked[length + 1] // (symbols + 1))
        probability = (counts + _WEIGHT * probability) / (contexts + _WEIGHT)
    return float(-np.log(probability).mean())


def _keys(source: SequenceSet, symbols: int, order: int) -> list[NDArray[np.int64]]:
    """Return a number for each symbol with the n - 1 before it, for n = 0 to `order`."""
    base = symbols + 1
    x = np.concatenate([sequence[:, 0] for sequence in source.sequences]).astype(np.int64)
    place = np.concatenate([np.arange(len(sequence)) for sequence in source.sequences])
    keys = [np.zeros_like(x)]
    for back in range(order):
        before = np.roll(x, back)
        # Before the beginning stands a symbol of its own.
        before[place < back] = symbols
        keys.append(before * base**back + keys[-1])
    return keys


def _counts(seen: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how often each asked number was seen."""
    known, counts = np.unique(seen, return_counts=True)
    places = np.searchsorted(known, asked).clip(max=len(known) - 1)
    return np.where(known[places] == asked, counts[places], 0).astype(np.float64)
