"""Calibration of probabilities and of pairs of pixels, by hand."""

import math

import numpy as np
import pytest
from posterior_trees import make

from inference.diagnostics import (
    calibration,
    co_assignment_calibration,
)
from pyro_nem.errors import ConfigError


def test_calibration_by_hand():
    found = calibration(np.array([0.1, 0.2, 0.9, 1.0]), np.array([False, True, True, True]), bins=4)
    np.testing.assert_allclose(found.probability, [0.15, np.nan, np.nan, 0.95])
    np.testing.assert_allclose(found.frequency, [0.5, np.nan, np.nan, 1.0])
    assert found.events.tolist() == [2, 0, 0, 2]
    np.testing.assert_allclose(found.brier, (0.01 + 0.64 + 0.01) / 4)
    np.testing.assert_allclose(found.ece, (0.35 + 0.05) / 2)
    np.testing.assert_allclose(found.error[[0, 3]] ** 2, [0.25 / 4, 0.09 / 4])


def test_pairs_of_unknown_truth_are_left_out():
    same = np.array([[1, 0, 1, 0], [-1, -1, -1, -1]])
    chance = np.array([[0.9, 0.2, 0.7, 0.0], [0.5, 0.5, 0.5, 0.5]])
    tree = make(constant_data__pair_same=same, sample_stats__pair_probability=chance)
    found = co_assignment_calibration(tree)
    assert found.events.sum() == 4
    np.testing.assert_allclose(found.brier, (0.01 + 0.04 + 0.09) / 4)


def test_the_mean_over_restarts_is_calibrated():
    chance = np.array([0.0, 0.0, 0.9])[:, None, None]
    tree = make(sample_stats__pair_probability=chance)
    np.testing.assert_allclose(np.nanmax(co_assignment_calibration(tree).probability), 0.3)


def test_masks_without_objects_give_nan():
    found = co_assignment_calibration(make(constant_data__pair_same=-1))
    assert math.isnan(found.brier)
    assert math.isnan(found.ece)
    assert found.events.sum() == 0
    assert np.isnan(found.frequency).all()


def test_data_without_labels_have_no_truth():
    with pytest.raises(ConfigError, match="tree: the data have no labels"):
        co_assignment_calibration(make(labels=0))


@pytest.mark.parametrize(
    ("chance", "happened", "message"),
    [
        ([0.5, 1.5], [True, False], r"expected numbers in \[0, 1\]"),
        ([0.5, math.nan], [True, False], r"expected numbers in \[0, 1\]"),
        ([0.5], [True, False], r"two arrays \[N\], got \[1\] and \[2\]"),
    ],
)
def test_bad_probabilities(chance, happened, message):
    with pytest.raises(ConfigError, match=message):
        calibration(np.array(chance), np.array(happened))
