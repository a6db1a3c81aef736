"""Adjusted mutual information, the score that the N-EM paper reports."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics.cluster import expected_mutual_information

from pyro_nem.errors import ConfigError

__all__ = ["adjusted_mutual_information"]


def adjusted_mutual_information(
    labels: NDArray[Any] | torch.Tensor, predictions: NDArray[Any] | torch.Tensor
) -> NDArray[np.float64]:
    """Return the adjusted mutual information of each frame over its scored pixels.

    With U the true objects and V the components, (MI - E[MI]) / (max(H(U), H(V)) - E[MI]), the
    expectation over random partitions of the same sizes. The maximum is the normaliser of the
    paper's time; scikit-learn's present default is the arithmetic mean, which gives larger
    numbers. 1 means equal partitions, 0 what chance gives.

    The numbers are those of `sklearn.metrics.adjusted_mutual_info_score` with
    `average_method="max"`, and the expectation is scikit-learn's own; calling that function for
    each frame would spend ten times as long, on checking its arguments.

    Parameters
    ----------
    labels
        True object of each pixel, integer, 0 where not scored; shape `[..., D]`.
    predictions
        Component of each pixel, usually argmax_k gamma, integer, at least 0; shape `[..., D]`.

    Returns
    -------
    NDArray
        float64, shape `[...]`. As scikit-learn: 1 where both partitions are one cluster, 0 where
        one of them is. NaN where no pixel is scored.

    Raises
    ------
    ConfigError
        Shapes differ, or values are no integers or negative.
    """
    truth, found = _as_numpy(labels), _as_numpy(predictions)
    if truth.shape != found.shape or truth.size == 0:
        raise ConfigError(
            "labels and predictions: expected the same shape [..., D] with at least one pixel, got "
            f"{list(truth.shape)} and {list(found.shape)}"
        )
    for name, array in (("labels", truth), ("predictions", found)):
        if array.dtype.kind not in "ui" or array.min() < 0:
            raise ConfigError(
                f"{name}: expected integers of at least 0, got {array.dtype} from {array.min()}"
            )
    tables = _contingency(truth, found)  # [..., L, K]
    # The number of frames is given, since tables without a scored pixel anywhere are empty.
    frames = truth.size // truth.shape[-1]
    scores = [_score(table) for table in tables.reshape(frames, *tables.shape[-2:])]
    return np.array(scores).reshape(truth.shape[:-1])  # [...]


def _contingency(labels: NDArray[Any], predictions: NDArray[Any]) -> NDArray[np.int64]:
    """Count the scored pixels of each object in each component; shape `[..., L, K]`."""
    leading, pixels = labels.shape[:-1], labels.shape[-1]
    rows, columns = int(labels.max()) + 1, int(predictions.max()) + 1
    cell = labels.astype(np.int64) * columns + predictions  # [..., D]
    frame = np.arange(cell.size // pixels)[:, None]  # [N, 1]
    cell = frame * (rows * columns) + cell.reshape(-1, pixels)  # [N, D]
    counts = np.bincount(cell.ravel(), minlength=len(frame) * rows * columns)
    return counts.reshape(*leading, rows, columns)[..., 1:, :]  # label 0 is not scored


def _score(table: NDArray[np.int64]) -> float:
    """Return the score of one table `[L, K]`."""
    table = table[table.any(axis=1)][:, table.any(axis=0)]  # without empty objects and components
    objects, components = table.shape
    if objects == 0:
        return np.nan
    if objects == components == np.count_nonzero(table):
        return 1.0  # equal partitions, where rounding could leave 0 / 0
    if 1 in table.shape:
        return 0.0
    entropies = _entropy(table.sum(axis=1)), _entropy(table.sum(axis=0))
    information = sum(entropies) - _entropy(table.ravel())
    expected = float(expected_mutual_information(table, int(table.sum())))
    return (information - expected) / (max(entropies) - expected)


def _entropy(counts: NDArray[np.int64]) -> float:
    """Return the entropy in nats of the shares of `counts`."""
    shares = counts[counts > 0] / counts.sum()
    return -float(shares @ np.log(shares))


def _as_numpy(array: NDArray[Any] | torch.Tensor) -> NDArray[Any]:
    """Return an array on the CPU."""
    return array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else array
