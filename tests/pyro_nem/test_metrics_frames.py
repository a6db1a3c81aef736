"""Small cases worked out by hand."""

import math
import statistics

import numpy as np
import pytest
import torch

from pyro_nem.errors import ConfigError
from pyro_nem.metrics import (
    confidence,
    effective_components,
    next_step_bce,
    segmentation_scores,
    standard_errors,
)

NAN = math.nan


def gammas(*frames):
    """Responsibilities [1, B, K, D] from B nested lists."""
    return torch.tensor([list(frames)])


def test_confidence_is_the_mean_maximum_over_scored_pixels():
    gamma = gammas([[0.9, 0.4, 0.5], [0.1, 0.6, 0.5]], [[1.0, 0.0, 0.3], [0.0, 1.0, 0.7]])
    labels = torch.tensor([[[1, 2, 0], [3, 1, 1]]])
    found = confidence(gamma, labels)
    assert found.dtype == torch.float64
    assert found[0].tolist() == pytest.approx([(0.9 + 0.6) / 2, (1 + 1 + 0.7) / 3])
    assert confidence(gamma, torch.zeros_like(labels)).isnan().all()


def test_effective_components_counts_shares():
    even = [[1.0, 1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0, 0.0]]
    alone = [[1.0, 1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]]
    uneven = [[1.0, 1.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.5, 0.5, 1.0]]
    labels = torch.tensor([[[1, 1, 2, 2, 0]] * 3])
    found = effective_components(gammas(even, alone, uneven), labels)
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert found[0].tolist() == pytest.approx([2.0, 1.0, math.exp(entropy)])
    assert effective_components(torch.full((1, 1, 4, 5), 0.25), labels[:, :1]).item() == (
        pytest.approx(4.0)
    )
    assert effective_components(gammas(even), torch.zeros(1, 1, 5)).isnan().all()


def test_next_step_bce_takes_the_brightest_component():
    psi = torch.tensor([[0.2, 0.3], [0.9, 0.1]])[None, None, :, :, None]  # [1, 1, K, D, 1]
    targets = torch.tensor([1.0, 0.0])[None, None, :, None]  # [1, 1, D, 1]
    found = next_step_bce(psi, targets)
    assert found.shape == (1, 1)
    assert found.dtype == torch.float64
    assert found.item() == pytest.approx(-math.log(0.9) - math.log(0.7), rel=1e-6)


def test_next_step_bce_is_clipped_and_sums_over_channels():
    psi = torch.zeros(2, 3, 4, 5, 2)
    assert next_step_bce(psi, torch.ones(2, 3, 5, 2)).flatten().tolist() == pytest.approx(
        [-10 * math.log(1e-6)] * 6
    )
    assert next_step_bce(psi, torch.zeros(2, 3, 5, 2)).flatten().tolist() == pytest.approx(
        [-10 * math.log1p(-1e-6)] * 6
    )


def test_scores_are_weighted_over_steps_then_averaged():
    scores = torch.tensor([[0.0, 0.4], [1.0, 0.8]])
    sure = torch.tensor([[0.5, 0.5], [0.9, 0.7]])
    found = segmentation_scores(scores, sure, torch.tensor([1.0, 3.0]))
    assert found.mean == pytest.approx((0.75 + 0.7) / 2)
    assert found.last == pytest.approx(0.9)
    assert found.confidence_mean == pytest.approx((0.8 + 0.65) / 2)
    assert found.confidence_last == pytest.approx(0.8)
    assert found.excluded == 0


def test_frames_without_a_score_are_left_out_and_counted():
    scores = np.array([[NAN, 0.4, NAN], [0.6, 0.8, NAN], [1.0, NAN, NAN]])
    sure = np.where(np.isnan(scores), NAN, 0.5)
    found = segmentation_scores(scores, sure, np.ones(3))
    assert found.mean == pytest.approx((0.8 + 0.6) / 2)
    assert found.last == pytest.approx(1.0)
    assert found.confidence_mean == pytest.approx(0.5)
    assert found.excluded == 5


def test_errors_are_those_of_the_means():
    scores = np.array([[0.1, 0.4, NAN], [0.6, 0.8, 0.5]])
    sure = np.array([[0.9, 0.7, NAN], [0.5, 0.6, 0.8]])
    found = segmentation_scores(scores, sure, np.array([1.0, 3.0]))
    averaged = (
        [(0.1 + 3 * 0.6) / 4, (0.4 + 3 * 0.8) / 4, 0.5],
        [0.6, 0.8, 0.5],
        [(0.9 + 3 * 0.5) / 4, (0.7 + 3 * 0.6) / 4, 0.8],
        [0.5, 0.6, 0.8],
    )
    assert found[:4] == pytest.approx([statistics.mean(values) for values in averaged])
    by_hand = [statistics.stdev(values) / math.sqrt(3) for values in averaged]
    assert found.errors == pytest.approx(by_hand)


def test_a_single_number_has_no_error():
    found = standard_errors(np.array([[1.0, NAN, 3.0], [NAN, 2.0, NAN], [NAN, NAN, NAN]]))
    assert found[0] == pytest.approx(1.0)
    assert np.isnan(found[1:]).all()


def test_steps_of_weight_zero_neither_count_nor_spoil():
    scores = np.array([[NAN, 0.1], [0.6, 0.8]])
    found = segmentation_scores(scores, scores, np.array([0.0, 1.0]))
    assert found.mean == found.last == pytest.approx(0.7)


def test_nothing_scored_is_nan():
    empty = np.full((2, 3), NAN)
    found = segmentation_scores(empty, empty, np.ones(2))
    assert all(math.isnan(value) for value in found[:4])
    assert found.excluded == 6


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(3), r"\[T\], got \[2, 3\], \[2, 3\] and \[3\]"),
        (np.zeros(2), "weights.*not all 0"),
        (np.array([1.0, -1.0]), "weights"),
        (np.array([1.0, NAN]), "weights"),
    ],
)
def test_weights_are_checked(weights, message):
    scores = np.zeros((2, 3))
    with pytest.raises(ConfigError, match=message):
        segmentation_scores(scores, scores, weights)


def test_scores_and_confidences_must_agree():
    with pytest.raises(ConfigError, match=r"\[T, N\].*got \[2, 3\], \[2, 4\]"):
        segmentation_scores(np.zeros((2, 3)), np.zeros((2, 4)), np.ones(2))
