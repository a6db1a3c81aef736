"""Scores of the frames of a batch: how they are segmented, bounded and predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyro
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.bounds import EnumeratedBound
from inference.enumerated_terms import BoundTerms
from inference.objective import LossTerms, NEMObjective
from inference.regularisers import prior_of
from models import Rollout
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
    "sampled_terms",
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
    A stochastic guide's scores have "kl", in closed form and summed over components, "bound", the
    ELBO at the draws, and "prior_bce", the prediction error of the prior's mean, before the frame
    at hand is seen. Several particles are averaged over.
    """
    model, rollout = objective.model, terms.rollout
    with torch.no_grad(), pyro.validation_enabled(False):
        parts = terms.parts
        if parts is None or objective.bound.divergence == "analytic":
            parts = sampled_terms(objective, clip, rollout)
        found = {
            "log_likelihood": _numbers(parts.log_likelihood.mean(0)),
            "next_step_bce": _numbers(_mean_bce(rollout.psi, clip.targets)),
        }
        if terms.divergence is not None:
            found["bound"] = _numbers((parts.log_likelihood - parts.divergence).mean(0))
            kl = terms.divergence.sum(-1)  # [(S,) T, B]
            found["kl"] = _numbers(kl.mean(0) if kl.dim() == 3 else kl)
            psi = model.decode(prior_of(model, rollout).loc, rollout.context)
            found["prior_bce"] = _numbers(_mean_bce(psi, clip.targets))
    return found


def sampled_terms(objective: NEMObjective, clip: Clip, rollout: Rollout) -> BoundTerms:
    """Return what log w consists of at the draws of a rollout, whatever bound is trained."""
    particles = 1 if rollout.theta.dim() == 4 else rollout.theta.shape[0]
    nesting = objective.model.max_plate_nesting
    bound = EnumeratedBound(particles=particles, max_plate_nesting=nesting)
    return bound.terms(objective.model, objective.guide, clip, rollout)


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
