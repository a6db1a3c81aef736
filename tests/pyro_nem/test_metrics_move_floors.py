"""Simple models of movements, on movements whose law is known."""

import math

import numpy as np
import pytest

from pyro_nem.data import Scaling, SequenceSet
from pyro_nem.errors import ConfigError
from pyro_nem.metrics import linear_moves

COVARIANCE = np.array([[1.0, 0.6], [0.6, 2.0]])
ENTROPY = 1.0 + math.log(2 * math.pi) + 0.5 * math.log(np.linalg.det(COVARIANCE))


def moves(count, seed, memory=0.0, factor=1.0, scaling=None):
    """Return movements that remember the last one, with a pen that stays as it is 9 of 10 times."""
    generator = np.random.default_rng(seed)
    sequences = []
    for _ in range(count):
        noise = generator.multivariate_normal(np.zeros(2), COVARIANCE, 50)
        for t in range(1, 50):
            noise[t] += memory * noise[t - 1]
        pen = np.cumsum(generator.random(50) < 0.1) % 2
        sequences.append(np.column_stack([pen, factor * noise]))
    return SequenceSet("moves", sequences, scaling)


def test_independent_movements_have_their_entropy():
    found = linear_moves(moves(200, 0), moves(100, 1), order=0)
    assert found == pytest.approx(ENTROPY + math.log(2), abs=0.03)


def test_prediction_knows_what_is_remembered():
    training, test = moves(200, 0, memory=0.8), moves(100, 1, memory=0.8)
    pen = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    found = {order: linear_moves(training, test, order=order) for order in (0, 1, 3)}
    assert found[1] == pytest.approx(ENTROPY + pen, abs=0.04)
    assert found[3] == pytest.approx(found[1], abs=0.02)
    assert found[0] > found[1] + 0.8


def test_what_was_never_seen_is_not_impossible():
    training = SequenceSet("x", [np.array([[0, 1.0, 0.0], [0, 0.0, 1.0], [0, -1.0, 0.5]])])
    test = SequenceSet("y", [np.array([[1, 0.0, 0.0]])])
    left = training.sequences[0][:, 1:] - training.sequences[0][:, 1:].mean(0)
    covariance = left.T @ left / 3
    mean = training.sequences[0][:, 1:].mean(0)
    by_hand = 0.5 * (mean @ np.linalg.inv(covariance) @ mean) + 0.5 * math.log(
        np.linalg.det(2 * math.pi * covariance)
    )
    # The pen was lifted in none of three: (0 + 1/2) / (3 + 1).
    assert linear_moves(training, test, order=0) == pytest.approx(by_hand - math.log(0.125))


def test_other_units_move_a_density_by_their_logarithm():
    """-log p of coordinates times s is higher by exactly 2 ln s a step."""
    one = linear_moves(moves(20, 0), moves(10, 1), order=2)
    scaling = Scaling(np.zeros(3), np.array([1.0, 7.0, 7.0]))
    other = linear_moves(moves(20, 0, factor=7.0), moves(10, 1, factor=7.0), order=2)
    assert other - one == pytest.approx(scaling.log_volume, abs=1e-9)
    scaled = linear_moves(
        moves(20, 0, factor=7.0, scaling=scaling),
        moves(10, 1, factor=7.0, scaling=scaling),
        order=2,
    )
    assert scaled == pytest.approx(one, abs=1e-9)


def test_impossible_orders_are_refused():
    with pytest.raises(ConfigError, match="order: expected at least 0"):
        linear_moves(moves(1, 0), moves(1, 1), order=-1)
