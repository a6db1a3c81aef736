"""Counted symbols, by hand and on the published strokes."""

import math

import numpy as np
import pytest
from small_strokes import needs_strokes

from pyro_nem.data import SequenceSet, pen_strokes
from pyro_nem.errors import ConfigError
from pyro_nem.metrics import ngram_symbols


def symbols(*sequences):
    return SequenceSet("symbols", [np.array(s)[:, None] for s in sequences])


def by_hand(training, test, size, order):
    """The same with dictionaries, one symbol after the other."""
    total, count = 0.0, 0
    for sequence in test:
        for t, s in enumerate(sequence):
            p = 1 / size
            for length in range(order):

                def context(x, place, length=length):
                    return tuple(x[place - b] if place >= b else -1 for b in range(1, length + 1))

                asked = context(sequence, t)
                seen = [
                    x[place]
                    for x in training
                    for place in range(len(x))
                    if context(x, place) == asked
                ]
                p = (seen.count(s) + 2 * p) / (len(seen) + 2)
            total, count = total - math.log(p), count + 1
    return total / count


@pytest.mark.parametrize("order", [1, 2, 3])
def test_floors_by_hand(order):
    generator = np.random.default_rng(order)
    training = [generator.integers(0, 3, n).tolist() for n in (9, 4, 7)]
    test = [generator.integers(0, 4, n).tolist() for n in (5, 6)]
    found = ngram_symbols(symbols(*training), symbols(*test), symbols=4, order=order)
    assert found == pytest.approx(by_hand(training, test, 4, order))


def test_a_rule_is_found_by_pairs():
    turns = symbols(*[[0, 1] * 50] * 4)
    assert ngram_symbols(turns, turns, symbols=2, order=1) == pytest.approx(math.log(2), abs=0.01)
    assert ngram_symbols(turns, turns, symbols=2, order=2) < 0.05
    with pytest.raises(ConfigError, match="order: expected at least 1"):
        ngram_symbols(turns, turns, symbols=2, order=0)


@needs_strokes
def test_floors_of_the_strokes_are_those_measured_before():
    found = pen_strokes()
    for order, expected in ((1, 2.294), (2, 1.588), (3, 1.419)):
        floor = ngram_symbols(found.training, found.test, symbols=found.code.size, order=order)
        assert floor == pytest.approx(expected, abs=0.005)
