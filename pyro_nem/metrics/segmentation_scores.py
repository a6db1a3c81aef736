"""One number for a test set from the scores of its frames."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError
from pyro_nem.metrics.standard_error import standard_errors

__all__ = ["SegmentationScores", "segmentation_scores"]


class SegmentationScores(NamedTuple):
    """Means over the sequences of a test set."""

    mean: float
    """Score, weighted over steps."""
    last: float
    """Score at the last step."""
    confidence_mean: float
    """Confidence, weighted over steps."""
    confidence_last: float
    """Confidence at the last step."""
    excluded: int
    """Frames left out because their score or confidence is NaN: no pixel of theirs is scored."""
    errors: tuple[float, float, float, float]
    """Standard errors of the four means, in the same order, over the sequences that each averages;
    NaN for fewer than two."""


def segmentation_scores(
    scores: NDArray[Any] | torch.Tensor,
    confidences: NDArray[Any] | torch.Tensor,
    weights: NDArray[Any] | torch.Tensor,
) -> SegmentationScores:
    """Average the scores of frames over steps, then over sequences.

    Frames whose score or confidence is NaN are left out: a sequence's weights are renormalised
    over its remaining steps, and a sequence with none (or, for `last`, without the last step) is
    not averaged over. `excluded` counts such frames. The original counts them with an
    ARI of 0.

    Parameters
    ----------
    scores
        ARI or AMI of each frame; shape `[T, N]`, N sequences.
    confidences
        Confidence of each frame; shape `[T, N]`.
    weights
        Weight of each step, at least 0, not all 0: ones for sequences, the last alone for static
        images; shape `[T]`.

    Returns
    -------
    SegmentationScores
        Means in float64; NaN if every frame that they average is left out.

    Raises
    ------
    ConfigError
        The shapes disagree, or the weights are no weights.
    """
    steps = _as_float64(weights)  # [T]
    expected = (*steps.shape, *scores.shape[1:])
    if not (len(expected) == 2 and scores.shape == confidences.shape == expected):
        raise ConfigError(
            "scores, confidences and weights: expected shapes [T, N], [T, N] and [T], got "
            f"{list(scores.shape)}, {list(confidences.shape)} and {list(weights.shape)}"
        )
    values = np.stack([_as_float64(scores), _as_float64(confidences)], axis=-1)  # [T, N, 2]
    if not (0 < steps.sum() < np.inf and steps.min() >= 0):
        raise ConfigError(f"weights: expected finite numbers of at least 0, not all 0, got {steps}")
    usable = ~(np.isnan(values[..., 0]) | np.isnan(values[..., 1]))  # [T, N]
    each = _over_steps(values, usable * steps[:, None])  # [2, N]
    each_last = _over_steps(values[-1:], usable[-1:].astype(np.float64))
    ordered = np.stack([each[0], each_last[0], each[1], each_last[1]])  # [4, N]
    mean, last, confidence_mean, confidence_last = _means(ordered)
    return SegmentationScores(
        mean,
        last,
        confidence_mean,
        confidence_last,
        excluded=int((~usable).sum()),
        errors=tuple(standard_errors(ordered).tolist()),
    )


def _over_steps(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average `[T, N, 2]` with weights `[T, N]` over T; `[2, N]`, NaN where all are 0."""
    total = weights.sum(0)  # [N]
    # NaN times weight 0 would still be NaN.
    weighted = np.where(weights[..., None] > 0, values, 0.0) * weights[..., None]  # [T, N, 2]
    means: NDArray[np.float64] = weighted.sum(0).T / np.where(total > 0, total, np.nan)
    return means


def _means(values: NDArray[np.float64]) -> list[float]:
    """Average `[M, N]` over N, NaN left out; NaN for a row without a number."""
    known = ~np.isnan(values)
    count = known.sum(-1)
    means: list[float] = (
        np.where(known, values, 0.0).sum(-1) / np.where(count > 0, count, np.nan)
    ).tolist()
    return means


def _as_float64(array: NDArray[Any] | torch.Tensor) -> NDArray[np.float64]:
    """Return a float64 array on the CPU."""
    values = array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else array
    return np.asarray(values, np.float64)
