"""Trivial models of bits, by hand and on the published rolls."""

import math

import numpy as np
import pytest
from small_rolls import needs_rolls

from pyro_nem.data import SequenceSet, piano_rolls
from pyro_nem.metrics import independent_bits, markov_bits


def bits(*sequences):
    return SequenceSet("bits", [np.array(s, np.uint8)[:, None] for s in sequences])


def test_independent_bits_by_hand():
    training, test = bits([1, 0, 0], [1]), bits([1, 1, 0])
    p = 2.5 / 5
    assert independent_bits(training, test) == pytest.approx(-math.log(p))
    p = 1.5 / 4
    expected = -(2 * math.log(p) + math.log(1 - p)) / 3
    assert independent_bits(bits([1, 0, 0]), test) == pytest.approx(expected)


def test_markov_bits_by_hand():
    # Of what follows a 0 (a beginning counts as one): 1, 0 and 1; of what follows a 1: 0.
    training = bits([1, 0, 0], [1])
    after_0, after_1 = 2.5 / 4, 0.5 / 2
    expected = -(math.log(after_0) + math.log(after_1) + math.log(1 - after_1)) / 3
    assert markov_bits(training, bits([1, 1, 0])) == pytest.approx(expected)


@needs_rolls
def test_floors_of_the_chorales_are_those_measured_before():
    splits = piano_rolls("jsb")
    assert independent_bits(splits["training"], splits["test"]) == pytest.approx(11.06, abs=0.02)
    assert markov_bits(splits["training"], splits["test"]) == pytest.approx(10.47, abs=0.02)
