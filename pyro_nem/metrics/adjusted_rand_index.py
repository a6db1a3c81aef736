"""Adjusted Rand index, batched."""

import torch

from pyro_nem.errors import ConfigError

__all__ = ["adjusted_rand_index"]


def adjusted_rand_index(
    labels: torch.Tensor, predictions: torch.Tensor, num_components: int
) -> torch.Tensor:
    r"""Return the adjusted Rand index of each frame over its scored pixels.

    With n_lk the scored pixels of true object l and component k, and every count of pairs c_2(n) =
    n (n - 1) / 2,

        ARI = (together - expected) / (maximal - expected),
        together = sum_lk c_2(n_lk),  objects = sum_l c_2(n_l.),  components = sum_k c_2(n_.k),
        expected = objects components / c_2(n),  maximal = (objects + components) / 2.

    1 means equal partitions, 0 what chance gives; it can be negative. Names of objects and
    components do not matter. Source: Hubert and Arabie (1985).

    Parameters
    ----------
    labels
        True object of each pixel, integer, 0 where not scored; shape `[..., D]`.
    predictions
        Component of each pixel, usually argmax_k gamma, integer in [0, K); shape `[..., D]`.
    num_components
        K.

    Returns
    -------
    torch.Tensor
        float64, shape `[...]`. As `sklearn.metrics.adjusted_rand_score`: 1 where both partitions
        are one cluster, or both single out every pixel. NaN where no pixel is scored. The
        original clips the denominator instead and returns 0 in these cases.

    Raises
    ------
    ConfigError
        Shapes differ, values are no integers, labels are negative, or a prediction is no
        component.
    """
    _check(labels, predictions, num_components)
    counts = _contingency(labels, predictions, num_components)  # [..., L, K]
    together = _pairs(counts).sum((-2, -1))  # [...]
    objects = _pairs(counts.sum(-1)).sum(-1)  # [...]
    components = _pairs(counts.sum(-2)).sum(-1)  # [...]
    scored = counts.sum((-2, -1))  # [...]
    everything = _pairs(scored)  # [...]
    # Both times c_2(n): without a division, float64 holds them exactly up to 13,000 scored pixels.
    numerator = together * everything - objects * components
    denominator = (objects + components) / 2 * everything - objects * components
    # Equal partitions, which include every case of a denominator of 0.
    same = (together == objects) & (together == components)
    index = torch.where(same, 1.0, numerator / denominator)
    return torch.where(scored == 0, torch.nan, index)


def _contingency(
    labels: torch.Tensor, predictions: torch.Tensor, num_components: int
) -> torch.Tensor:
    """Return counts n_lk of scored pixels, float64; shape `[..., L, K]` with L objects."""
    leading, pixels = labels.shape[:-1], labels.shape[-1]
    num_objects = int(labels.max())
    # Label 0 gets a row of its own, dropped below.
    cells = (num_objects + 1) * num_components
    cell = labels.long() * num_components + predictions.long()  # [..., D]
    cell = cell.reshape(-1, pixels)  # [N, D]
    counts = torch.zeros(len(cell), cells, dtype=torch.int64, device=labels.device)
    counts.scatter_add_(1, cell, torch.ones_like(cell))  # [N, (L + 1) K]
    table = counts.reshape(*leading, num_objects + 1, num_components)  # [..., L + 1, K]
    return table[..., 1:, :].double()


def _pairs(counts: torch.Tensor) -> torch.Tensor:
    """Return c_2(n)."""
    return counts * (counts - 1) / 2


def _check(labels: torch.Tensor, predictions: torch.Tensor, num_components: int) -> None:
    """Check that scatter will stay inside its table."""
    if labels.shape != predictions.shape or labels.numel() == 0:
        raise ConfigError(
            "labels and predictions: expected the same shape [..., D] with at least one pixel, got "
            f"{list(labels.shape)} and {list(predictions.shape)}"
        )
    if labels.is_floating_point() or predictions.is_floating_point():
        raise ConfigError(
            f"labels and predictions: expected integers, got {labels.dtype} and "
            f"{predictions.dtype}; take the argmax over components first"
        )
    if labels.min() < 0 or predictions.min() < 0 or predictions.max() >= num_components:
        raise ConfigError(
            f"expected labels >= 0 and predictions in [0, {num_components}), got labels from "
            f"{labels.min()} and predictions from {predictions.min()} to {predictions.max()}"
        )
