"""Scores of a trained objective on a set of frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pyro
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.e_step import pixel_posterior
from inference.objective import NEMObjective, resolve_step_weights
from inference.training import Metrics, update_seed
from models import BernoulliPixels, Rollout, SpatialMixture
from pyro_nem.data import Clip, FrameSource, Noise, as_source, make_clip, ordered_batches
from pyro_nem.errors import ConfigError
from pyro_nem.metrics import (
    adjusted_mutual_information,
    adjusted_rand_index,
    confidence,
    effective_components,
    next_step_bce,
    segmentation_scores,
)

__all__ = [
    "Evaluation",
    "Score",
    "batch_scores",
    "default_noise",
    "default_steps",
    "evaluate",
]

Score = Literal["ari", "ami"]

# Streams of randomness beside stream 0, the training updates.
_STREAM = 1


class Evaluation(NamedTuple):
    """Scores of a set of frames.

    Attributes
    ----------
    metrics
        "loss" (step-weighted, nats a sequence), "log_likelihood" (log p(x_{t+1} | psi_t) with z
        summed out, nats a frame), "next_step_bce" (nats a frame, of max_k psi); where there are
        labels also "ari" and "ami" (if asked for), each with "_last" for the last step,
        "confidence", "confidence_last" and "effective_components". Means over sequences; those
        over time use the step weights.
    per_step
        The same, for each step: name -> [T].
    sequences
        Number of sequences that were scored.
    """

    metrics: Metrics
    per_step: dict[str, list[float]]
    sequences: int


def default_noise(model: SpatialMixture) -> Noise:
    """Return noise that fits the model's pixels, on a fifth of them as in the paper's videos."""
    binary = isinstance(model.pixels, BernoulliPixels)
    return Noise("bitflip" if binary else "masked-uniform", 0.2)


def default_steps(source: FrameSource) -> int:
    """Return the steps that use all frames of a source.

    Raises
    ------
    ConfigError
        If it holds static images, which can be repeated as often as one likes.
    """
    if source.num_frames == 1:
        raise ConfigError(
            "steps: static images are repeated, so say how often; the paper uses steps=15"
        )
    return source.num_frames - 1


def batch_scores(
    rollout: Rollout, groups: Tensor, scores: Sequence[Score]
) -> dict[str, NDArray[np.float64]]:
    """Return the segmentation scores of each frame, name -> [T, B].

    Parameters
    ----------
    rollout
        What a guide made of a clip.
    groups
        True object of each pixel of the clip's targets, 0 where not scored, [T, B, D].
    scores
        Which of ARI and AMI to compute; AMI takes about 1 ms a frame.
    """
    gamma = rollout.gamma.detach()
    predictions = gamma.argmax(2)  # [T, B, D]
    found: dict[str, NDArray[np.float64]] = {
        "confidence": confidence(gamma, groups).double().cpu().numpy(),
        "effective_components": effective_components(gamma, groups).double().cpu().numpy(),
    }
    if "ari" in scores:
        rand = adjusted_rand_index(groups, predictions, gamma.shape[2])
        found["ari"] = rand.double().cpu().numpy()
    if "ami" in scores:
        found["ami"] = adjusted_mutual_information(groups, predictions)
    return found


def evaluate(
    objective: NEMObjective,
    data: FrameSource | NDArray[Any] | Tensor,
    *,
    steps: int | None = None,
    noise: Noise | None = None,
    batch_size: int = 64,
    seed: int = 0,
    scores: Sequence[Score] = ("ari",),
) -> Evaluation:
    """Run the guide over a set of frames, without gradients, and score it.

    The noise stays on, as in the paper; it and the first responsibilities are fixed by ``seed``,
    so two evaluations of the same weights agree.

    Parameters
    ----------
    objective
        Model, guide and loss.
    data
        The frames: a source, or an array [T, N, rows, columns, C] in [0, 1].
    steps
        T; T + 1 frames are needed, or 1 (static images, repeated). All frames if not given.
    noise
        The noise on the guide's inputs; that of :func:`inference.fit` if not given.
    batch_size
        Sequences at a time; changes the noise that a sequence gets, nothing else.
    seed
        Seed of the noise and of the first responsibilities.
    scores
        Which of "ari" and "ami" to compute.
    """
    source = as_source(data, "data")
    steps = default_steps(source) if steps is None else steps
    noise = default_noise(objective.model) if noise is None else noise
    like = next(objective.parameters())
    device = like.device
    weights = np.asarray(resolve_step_weights(objective.step_weights, steps))
    parts: dict[str, list[NDArray[np.float64]]] = {}
    loss_sum, count = 0.0, 0
    for index, batch in enumerate(ordered_batches(source, frames=steps + 1, batch_size=batch_size)):
        generator = torch.Generator(device).manual_seed(update_seed(seed, _STREAM, index))
        clip = make_clip(batch.frames.to(like), noise, generator)
        with torch.no_grad(), pyro.validation_enabled(False):
            terms = objective(clip, generator)
        found = _frame_scores(objective.model, clip, terms.rollout)
        if batch.groups is not None:
            groups = batch.groups[1:].flatten(2).to(device)  # [T, B, D]
            found.update(batch_scores(terms.rollout, groups, scores))
        for name, values in found.items():
            parts.setdefault(name, []).append(values)
        size = clip.targets.shape[1]
        loss_sum += terms.loss.item() * size
        count += size
    joined = {name: np.concatenate(values, axis=1) for name, values in parts.items()}  # [T, N]
    metrics = {"loss": loss_sum / count, **_summarise(joined, weights)}
    return Evaluation(metrics, _per_step(joined), count)


def _frame_scores(
    model: SpatialMixture, clip: Clip, rollout: Rollout
) -> dict[str, NDArray[np.float64]]:
    with torch.no_grad(), pyro.validation_enabled(False):
        evidence = pixel_posterior(model, rollout.psi, clip.targets, clip.observed).log_evidence
    return {
        "log_likelihood": evidence.double().sum(-1).cpu().numpy(),  # [T, B]
        "next_step_bce": next_step_bce(rollout.psi, clip.targets).double().cpu().numpy(),
    }


def _summarise(frames: dict[str, NDArray[np.float64]], weights: NDArray[np.float64]) -> Metrics:
    metrics: Metrics = {}
    for name in ("log_likelihood", "next_step_bce"):
        metrics[name] = float((weights @ frames[name]).mean() / weights.sum())
    for name in ("ari", "ami"):
        if name in frames:
            found = segmentation_scores(frames[name], frames["confidence"], weights)
            metrics[name] = found.mean
            metrics[f"{name}_last"] = found.last
            metrics["confidence"] = found.confidence_mean
            metrics["confidence_last"] = found.confidence_last
    if "effective_components" in frames:
        effective = frames["effective_components"]
        metrics["effective_components"] = segmentation_scores(effective, effective, weights).mean
    return metrics


def _per_step(frames: dict[str, NDArray[np.float64]]) -> dict[str, list[float]]:
    means = {}
    for name, values in frames.items():
        scored = ~np.isnan(values)  # [T, N]
        total = np.where(scored, values, 0.0).sum(1)  # [T]
        # A step at which no frame can be scored has no mean; JSON has no NaN, so it is left out.
        if scored.any(1).all():
            means[name] = (total / scored.sum(1)).tolist()
    return means
