"""Scores of the frames of a batch: how they are segmented, bounded and predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyro
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.bounds import EnumeratedBound, combine
from inference.objective import LossTerms, NEMObjective
from models import RecurrentPrior, Rollout
from pyro_nem.data import Clip
from pyro_nem.metrics import (
    adjusted_mutual_information,
    adjusted_rand_index,
    confidence,
    effective_components,
    next_step_bce,
)

__all__ = [
    "FrameScores",
    "Score",
    "bound_scores",
    "collision_scores",
    "component_scores",
    "segmentation_scores_of",
]

Score = Literal["ari", "ami"]

FrameScores = dict[str, NDArray[np.float64]]
"""Name -> scores of a batch's frames, [T, B]."""


def segmentation_scores_of(
    rollout: Rollout, groups: Tensor, scores: Sequence[Score]
) -> FrameScores:
    """Return the segmentation scores of each frame.

    Parameters
    ----------
    rollout
        What a guide made of a clip; the responsibilities of several particles are averaged.
    groups
        True object of each pixel of the clip's targets, 0 where not scored, [T, B, D].
    scores
        Which of ARI and AMI to compute; AMI takes about 1 ms a frame.
    """
    gamma = _mean_gamma(rollout)  # [T, B, K, D]
    predictions = gamma.argmax(2)  # [T, B, D]
    found = {
        "confidence": _numbers(confidence(gamma, groups)),
        "effective_components": _numbers(effective_components(gamma, groups)),
    }
    if "ari" in scores:
        found["ari"] = _numbers(adjusted_rand_index(groups, predictions, gamma.shape[2]))
    if "ami" in scores:
        found["ami"] = adjusted_mutual_information(groups, predictions)
    return found


def bound_scores(objective: NEMObjective, clip: Clip, terms: LossTerms) -> FrameScores:
    """Return likelihood, bound and prediction error of each frame, in nats.

    "log_likelihood" is E_q log p(x | theta) with z summed out, "next_step_bce" that of max_k psi.
    A stochastic guide's scores have "bound" = log_likelihood - kl, "kl" summed over components, and
    "prior_bce", the prediction error of the prior's mean, before the frame at hand is seen; several
    particles also "iwae", the importance-weighted bound of the whole sequence, a frame, [1, B].
    """
    model, rollout = objective.model, terms.rollout
    parts = terms.parts
    with torch.no_grad(), pyro.validation_enabled(False):
        if parts is None:
            particles = 1 if rollout.theta.dim() == 4 else rollout.theta.shape[0]
            bound = EnumeratedBound(particles=particles, max_plate_nesting=model.max_plate_nesting)
            parts = bound.terms(model, objective.guide, clip, rollout)
        found = {
            "log_likelihood": _numbers(parts.log_likelihood.mean(0)),
            "next_step_bce": _numbers(_mean_bce(rollout.psi, clip.targets)),
        }
        if terms.divergence is not None:
            assert isinstance(model.prior, RecurrentPrior)
            assert rollout.context is not None
            log_weights = parts.log_likelihood - parts.divergence  # [S, T, B]
            found["bound"] = _numbers(log_weights.mean(0))
            if len(log_weights) > 1:
                iwae = combine("iwae", log_weights.sum(1)) / log_weights.shape[1]  # [B]
                found["iwae"] = _numbers(iwae.unsqueeze(0))  # [1, B]
            found["kl"] = _numbers(terms.divergence.sum(-1).expand_as(parts.divergence).mean(0))
            mean = model.prior.law(rollout.context).loc  # [(S,) T, B, K, H]
            psi = model.decode(mean, rollout.context)  # [(S,) T, B, K, D, C]
            found["prior_bce"] = _numbers(_mean_bce(psi, clip.targets))
    return found


def collision_scores(rollout: Rollout, clip: Clip, collided: Tensor) -> NDArray[np.float64]:
    """Return the next-step BCE on the pixels of objects that collided, [T, B], in nats.

    NaN where nothing did. Source: the relational losses of van Steenkiste et al. (2018).

    Parameters
    ----------
    rollout, clip
        What a guide made of a clip.
    collided
        1 on those pixels of the clip's targets, [T, B, D].
    """
    on = collided.bool()
    bce = _mean_bce(rollout.psi, clip.targets, on)  # [T, B]
    return _numbers(torch.where(on.any(-1), bce, torch.nan))


def component_scores(rollout: Rollout, divergence: Tensor, groups: Tensor) -> FrameScores:
    """Return KL and share of the scored pixels of each component, the largest share first.

    Parameters
    ----------
    rollout, divergence
        What a stochastic guide made of a clip, and its KL, [(S,) T, B, K].
    groups
        True object of each pixel, 0 where not scored, [T, B, D].

    Returns
    -------
    FrameScores
        "component_kl" (nats a frame) and "component_share", both [K, B]: means over steps. A
        sequence without a scored pixel has the share 0 everywhere.
    """
    gamma = _mean_gamma(rollout)  # [T, B, K, D]
    scored = (groups > 0).to(gamma)  # [T, B, D]
    share = (gamma * scored.unsqueeze(2)).sum((0, 3))  # [B, K]
    share = share / scored.sum((0, 2)).clamp(min=1.0).unsqueeze(1)
    kl = divergence.mean(0) if divergence.dim() == 4 else divergence  # [T, B, K]
    order = share.argsort(1, descending=True)  # [B, K]
    return {
        "component_kl": _numbers(kl.mean(0).gather(1, order).T),  # [K, B]
        "component_share": _numbers(share.gather(1, order).T),  # [K, B]
    }


def _mean_gamma(rollout: Rollout) -> Tensor:
    gamma = rollout.gamma.detach()
    return gamma.mean(0) if gamma.dim() == 5 else gamma  # [T, B, K, D]


def _mean_bce(psi: Tensor, targets: Tensor, counted: Tensor | None = None) -> Tensor:
    """Return the next-step BCE [T, B], averaged over particles."""
    if psi.dim() == 5:
        return next_step_bce(psi, targets, counted)
    return torch.stack([next_step_bce(one, targets, counted) for one in psi]).mean(0)


def _numbers(values: Tensor) -> NDArray[np.float64]:
    return values.detach().double().cpu().numpy()
