"""From scores of frames to means with standard errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.frame_scores import FrameScores
from inference.task import Metrics
from pyro_nem.metrics import segmentation_scores, standard_errors

__all__ = ["Curves", "Means", "over_sequences", "over_time"]


class Means(NamedTuple):
    """Means over steps and sequences, and the standard errors of most of them."""

    means: Metrics
    errors: Metrics


class Curves(NamedTuple):
    """Means over sequences with their standard errors: name -> [T]."""

    means: dict[str, list[float]]
    errors: dict[str, list[float]]


def over_time(frames: FrameScores, weights: NDArray[np.float64]) -> Means:
    """Average the scores of frames over steps, then over sequences.

    Sequences are what is independent, so an error is that of the mean of one number for each: its
    mean over steps with the same weights.

    Parameters
    ----------
    frames
        Scores of frames, [T, N].
    weights
        Weight of each step, [T].
    """
    means: Metrics = {}
    errors: Metrics = {}
    for name in ("log_likelihood", "bound", "kl", "next_step_bce", "prior_bce"):
        if name in frames:
            each = weights @ frames[name] / weights.sum()  # [N]
            means[name] = float(each.mean())
            errors[name] = float(standard_errors(each))
    for name in ("ari", "ami"):
        if name in frames:
            found = segmentation_scores(frames[name], frames["confidence"], weights)
            names = (name, f"{name}_last", "confidence", "confidence_last")
            means.update(zip(names, found[:4], strict=True))
            errors.update(zip(names, found.errors, strict=True))
    if "collision_bce" in frames and not np.isnan(frames["collision_bce"]).all():
        means["collision_bce"], errors["collision_bce"] = _pooled(frames["collision_bce"])
    if "effective_components" in frames:
        effective = frames["effective_components"]
        found = segmentation_scores(effective, effective, weights)
        means["effective_components"] = found.mean
        errors["effective_components"] = found.errors[0]
    return Means(means, errors)


def over_sequences(frames: FrameScores) -> Curves:
    """Average the scores of frames, [T, N], over sequences."""
    means, errors = {}, {}
    for name, values in frames.items():
        scored = ~np.isnan(values)  # [T, N]
        total = np.where(scored, values, 0.0).sum(1)  # [T]
        # A step at which no frame can be scored has no mean; JSON has no NaN, so it is left out.
        if scored.any(1).all():
            means[name] = (total / scored.sum(1)).tolist()
            errors[name] = standard_errors(values).tolist()
    return Curves(means, errors)


def _pooled(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean over all frames that have a value, whatever their step, and its error.

    Sequences have different numbers of such frames, so the mean is a ratio of two sums; the error
    is that of its linearisation.
    """
    known = ~np.isnan(values)  # [T, N]
    count = known.sum(0)  # [N]
    mean = float(np.nansum(values) / count.sum())
    excess = np.where(known, values - mean, 0.0).sum(0)  # [N]
    return mean, float(standard_errors(excess) / count.mean())
