"""Which of several models explains held-out sequences best, and whether that is more than noise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pyro_nem.errors import ConfigError

__all__ = ["Standing", "Verdict", "rank_by_likelihood"]

Verdict = Literal["best", "noise", "worse", "worse, seeds unknown"]

_LEVEL = 0.975
# Fewer degrees of freedom ask for more standard errors, more of them never for less.
_LEAST_FACTOR = 2.0


class Standing(NamedTuple):
    """How a model stands beside the best one; in nats a sequence.

    Attributes
    ----------
    name
        The model's.
    seeds
        How many seeds it was trained with.
    mean
        Mean log-likelihood over sequences and seeds.
    error
        Its standard error over sequences.
    spread
        Standard deviation over seeds of a seed's mean; None for a single one.
    difference
        ``mean`` minus that of the best model, 0 or less.
    difference_error
        Standard error of the difference: over sequences, paired, and over the seeds of both.
    factor
        A difference of fewer standard errors is called noise: 2, or Student's 97.5 % point where
        few seeds decide.
    verdict
        "best", "noise", "worse", or "worse, seeds unknown": the trained weights differ, but as one
        of the two models has a single seed, the settings need not.
    """

    name: str
    seeds: int
    mean: float
    error: float
    spread: float | None
    difference: float
    difference_error: float
    factor: float
    verdict: Verdict


def rank_by_likelihood(scores: Mapping[str, NDArray[np.float64]]) -> list[Standing]:
    """Rank models by the log-likelihood of the same held-out sequences, best first.

    The sequences are independent and played no part in training, so the log-likelihood of each is
    its own cross-validation: there is nothing to leave out by PSIS. Differences are taken sequence
    by sequence, which removes what is hard for all models alike.

    Two sources of chance make up the error of a difference: the choice of sequences and, where a
    model has several seeds, that of the seeds. Their variances add, and Welch and Satterthwaite's
    formula gives the degrees of freedom. Noise between seeds that differs by sequence is counted in
    both, which errs on the side of caution.

    What it does not see: the best of many models looks better than it is, as the largest of several
    noisy numbers does.

    Parameters
    ----------
    scores
        Name -> log-likelihoods [seeds, sequences] in nats, the sequences the same for all.

    Raises
    ------
    ConfigError
        If there are fewer than two models or sequences, their numbers differ, or a value is not
        finite.
    """
    _check(scores)
    order = sorted(scores, key=lambda name: -float(scores[name].mean()))
    best = scores[order[0]]
    return [_stand(name, scores[name], best) for name in order]


def _stand(name: str, own: NDArray[np.float64], best: NDArray[np.float64]) -> Standing:
    mean, error = _mean_and_error(own.mean(0))
    spread = float(own.mean(1).std(ddof=1)) if len(own) > 1 else None
    if own is best:
        return Standing(name, len(own), mean, error, spread, 0.0, 0.0, _LEAST_FACTOR, "best")
    difference, paired = _mean_and_error(own.mean(0) - best.mean(0))
    # Variances of means with their degrees of freedom.
    parts = [(paired**2, own.shape[1] - 1)]
    parts += [(_seed_variance(each), len(each) - 1) for each in (own, best) if len(each) > 1]
    total = sum(variance for variance, _ in parts)
    factor = _factor(parts, total)
    verdict: Verdict = "worse"
    if abs(difference) < factor * math.sqrt(total) or difference == 0.0:
        verdict = "noise"
    elif min(len(own), len(best)) == 1:
        verdict = "worse, seeds unknown"
    return Standing(
        name, len(own), mean, error, spread, difference, math.sqrt(total), factor, verdict
    )


def _mean_and_error(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))


def _seed_variance(scores: NDArray[np.float64]) -> float:
    """Return the variance of the mean over seeds."""
    return float(scores.mean(1).var(ddof=1)) / len(scores)


def _factor(parts: list[tuple[float, int]], total: float) -> float:
    """Return how many standard errors a difference has to be."""
    below = sum(variance**2 / freedom for variance, freedom in parts)
    if below == 0.0:
        return _LEAST_FACTOR
    return max(_LEAST_FACTOR, float(stats.t.ppf(_LEVEL, total**2 / below)))


def _check(scores: Mapping[str, NDArray[np.float64]]) -> None:
    if len(scores) < 2:
        raise ConfigError(
            f"scores: expected at least two models to compare, got {len(scores)}; add a run of "
            "other settings"
        )
    first = next(iter(scores))
    for name, values in scores.items():
        if values.ndim != 2 or values.shape[1:] != scores[first].shape[1:] or not len(values):
            raise ConfigError(
                f"scores: expected [seeds, sequences] with the same sequences for all models, got "
                f"{list(scores[first].shape)} for {first} and {list(values.shape)} for {name}"
            )
        if not np.isfinite(values).all():
            raise ConfigError(f"scores: those of {name} are not all finite; was it trained?")
    if scores[first].shape[1] < 2:
        raise ConfigError(
            "scores: expected at least two sequences, got 1; a difference of one "
            "sequence has no standard error"
        )
