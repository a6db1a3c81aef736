"""ARI and AMI equal scikit-learn's on scored pixels, degenerate partitions included."""

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from pyro_nem.errors import ConfigError
from pyro_nem.metrics import adjusted_mutual_information, adjusted_rand_index


def partitions():
    """Rows of labels and predictions [N, D]: random, informative and degenerate."""
    rng = np.random.default_rng(0)
    size = 40
    rows = []
    for _ in range(150):
        labels = rng.integers(0, rng.integers(1, 7), size)
        random = rng.integers(0, rng.integers(1, 6), size)
        noisy = np.where(rng.random(size) < 0.3, random, labels % 6)
        rows += [(labels, random), (labels, noisy), (labels, labels % 6)]
    one, zero, split = np.ones(size, int), np.zeros(size, int), np.arange(size) % 4
    single = np.where(np.arange(size) == 3, 2, 0)
    pair = np.where(np.arange(size) < 2, np.arange(size) + 1, 0)
    rows += [(a, b) for a in (one, split + 1, single, pair) for b in (zero, one, split)]
    labels, predictions = zip(*rows, strict=True)
    return np.stack(labels), np.stack(predictions)


def by_row(score, labels, predictions):
    return np.array(
        [
            score(a[a != 0], b[a != 0]) if a.any() else np.nan
            for a, b in zip(labels, predictions, strict=True)
        ]
    )


def max_normalised(labels, predictions):
    return adjusted_mutual_info_score(labels, predictions, average_method="max")


def test_ari_is_that_of_scikit_learn():
    labels, predictions = partitions()
    expected = by_row(adjusted_rand_score, labels, predictions)
    found = adjusted_rand_index(torch.tensor(labels), torch.tensor(predictions), 6)
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert (expected == 1).sum() > 20
    assert np.isnan(expected).sum() > 5
    assert (expected < 0).any()


def test_ami_is_that_of_scikit_learn_with_the_max_normaliser():
    labels, predictions = partitions()
    expected = by_row(max_normalised, labels, predictions)
    found = adjusted_mutual_information(labels, predictions)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    arithmetic = by_row(adjusted_mutual_info_score, labels, predictions)
    assert np.nanmax(np.abs(arithmetic - expected)) > 0.05


@pytest.mark.parametrize(
    "score",
    [lambda a, b: adjusted_rand_index(a, b, 6).numpy(), adjusted_mutual_information],
)
def test_leading_axes_are_kept(score):
    labels, predictions = (torch.tensor(array[:60]) for array in partitions())
    flat = score(labels, predictions)
    shaped = score(labels.reshape(3, 20, -1), predictions.reshape(3, 20, -1))
    np.testing.assert_array_equal(shaped, flat.reshape(3, 20))


def test_degenerate_cases_by_hand():
    labels = torch.tensor([[1, 1, 1, 0], [1, 2, 3, 0], [0, 0, 0, 0], [1, 1, 2, 2]])
    predictions = torch.tensor([[2, 2, 2, 0], [2, 0, 1, 0], [0, 1, 2, 0], [1, 1, 1, 1]])
    expected = [1.0, 1.0, np.nan, 0.0]
    np.testing.assert_array_equal(adjusted_rand_index(labels, predictions, 3), expected)
    np.testing.assert_array_equal(adjusted_mutual_information(labels, predictions), expected)


def test_ari_by_hand():
    # Pairs together in both: 1; in labels: 2; in predictions: 3; of 6. (1 - 1) / (2.5 - 1) = 0.
    assert adjusted_rand_index(torch.tensor([1, 1, 2, 2]), torch.tensor([0, 0, 0, 1]), 2) == 0.0


def test_unscored_pixels_do_not_matter():
    labels, predictions = (torch.tensor(array) for array in partitions())
    other = torch.where(labels == 0, 5 - predictions, predictions)
    for score in (lambda a, b: adjusted_rand_index(a, b, 6), adjusted_mutual_information):
        np.testing.assert_array_equal(score(labels, other), score(labels, predictions))


def test_large_images_do_not_overflow():
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(1, 3, 200_000), rng.integers(0, 2, 200_000)
    predictions = np.where(rng.random(200_000) < 0.5, labels - 1, predictions)
    found = adjusted_rand_index(torch.tensor(labels), torch.tensor(predictions), 2)
    assert found.item() == pytest.approx(adjusted_rand_score(labels, predictions), rel=1e-9)


def test_uint8_labels_are_fine():
    labels, predictions = partitions()
    found = adjusted_rand_index(
        torch.tensor(labels, dtype=torch.uint8), torch.tensor(predictions, dtype=torch.uint8), 6
    )
    expected = adjusted_rand_index(torch.tensor(labels), torch.tensor(predictions), 6)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        (torch.ones(4, dtype=int), torch.zeros(3, dtype=int), r"same shape.*\[4\] and \[3\]"),
        (torch.ones(0, dtype=int), torch.zeros(0, dtype=int), "at least one pixel"),
        (torch.ones(4), torch.zeros(4, dtype=int), "integers.*float32"),
        (-torch.ones(4, dtype=int), torch.zeros(4, dtype=int), "labels from -1"),
        (torch.ones(4, dtype=int), torch.full((4,), 2), r"\[0, 2\).*to 2"),
        (torch.ones(4, dtype=int), torch.full((4,), -1), "predictions from -1"),
    ],
)
def test_bad_arguments(labels, predictions, message):
    with pytest.raises(ConfigError, match=message):
        adjusted_rand_index(labels, predictions, 2)


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        (np.ones(4, int), np.ones(3, int), r"same shape.*\[4\] and \[3\]"),
        (np.ones(0, int), np.ones(0, int), "at least one pixel"),
        (np.ones(4), np.ones(4, int), "labels: expected integers.*float64"),
        (np.ones(4, int), np.array([0, -1, 2, 3]), "predictions: .*from -1"),
    ],
)
def test_ami_refuses_what_it_cannot_count(labels, predictions, message):
    with pytest.raises(ConfigError, match=message):
        adjusted_mutual_information(labels, predictions)


def test_ami_of_all_pixels_apart():
    # Mutual information, its expectation and both entropies coincide: 0 / 0 if done naively.
    for size in range(2, 30):
        labels, predictions = np.arange(1, size + 1), np.random.default_rng(size).permutation(size)
        assert adjusted_mutual_information(labels, predictions) == 1.0
        halves = np.arange(size) % 2
        found = adjusted_mutual_information(labels, halves)
        assert found == pytest.approx(max_normalised(labels, halves), abs=1e-9)


def test_nothing_scored_anywhere_gives_nan():
    labels = np.zeros((2, 3, 10), np.uint8)
    scores = adjusted_mutual_information(labels, np.ones((2, 3, 10), np.uint8))
    assert scores.shape == (2, 3)
    assert np.isnan(scores).all()
