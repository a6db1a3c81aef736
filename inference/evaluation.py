"""Scores of a trained objective on a set of frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyro
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.frame_scores import (
    FrameScores,
    Score,
    bound_scores,
    collision_scores,
    component_scores,
    segmentation_scores_of,
)
from inference.held_out import held_out_batches
from inference.modes import as_trained
from inference.objective import NEMObjective
from inference.processes import ALONE, Processes
from inference.score_summary import over_sequences, over_time
from inference.scored_frames import scored_frames
from inference.step_weights import resolve_step_weights
from inference.streams import Stream
from inference.task import Metrics
from pyro_nem.checks import at_least, one_of
from pyro_nem.data import FrameSource, Noise, make_clip

__all__ = ["Evaluation", "evaluate"]


class Evaluation(NamedTuple):
    """Scores of a set of frames.

    Attributes
    ----------
    metrics
        - "loss", step-weighted, nats a sequence;
        - "log_likelihood", log p(x_{t+1} | psi_t) with z summed out, nats a frame;
        - "next_step_bce" of max_k psi, nats a frame, and "collision_bce", the same on the pixels of
          objects that collided, over the frames with a collision;
        - of a stochastic guide "bound" (the ELBO), "kl" (over all components) and "prior_bce" (of
          the prior's mean), nats a frame;
        - where there are labels "ari" and "ami" (if asked for) and "confidence", each with "_last"
          for the last step, and "effective_components".

        Means over sequences; those over time use the step weights.
    per_step
        The same, for each step: name -> [T].
    per_component
        "component_kl" and "component_share" (of the scored pixels) of a stochastic guide, the
        component with the largest share first: name -> [K].
    errors
        Standard errors of the metrics over the sequences, but for the loss, of which only the mean
        is known; NaN for a single sequence.
    per_step_errors
        The same of each step: name -> [T].
    sequences
        Number of sequences that were scored.
    """

    metrics: Metrics
    per_step: dict[str, list[float]]
    per_component: dict[str, list[float]]
    errors: Metrics
    per_step_errors: dict[str, list[float]]
    sequences: int


class _Part(NamedTuple):
    """Scores of one batch."""

    scores: FrameScores
    loss: float
    sequences: int


def evaluate(
    objective: NEMObjective,
    data: FrameSource | NDArray[Any] | Tensor,
    *,
    steps: int | None = None,
    noise: Noise | None = None,
    batch_size: int = 64,
    seed: int = 0,
    scores: Sequence[Score] = ("ari",),
    particles: int | None = None,
    sequences: int | None = None,
    processes: Processes = ALONE,
) -> Evaluation:
    """Run the guide over a set of frames, without gradients or dropout, and score it.

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
        Sequences at a time. Another number gives a sequence other noise, first responsibilities and
        draws, of the same laws.
    seed
        Seed of the noise and of the first responsibilities.
    scores
        Which of "ari" and "ami" to compute.
    particles
        S, draws of a stochastic guide; as many as in training if not given. Memory grows with S
        times ``batch_size``.
    sequences
        Score only so many, the first ones.
    processes
        Those that share the batches; all return the same scores, and their number does not change
        them.

    Raises
    ------
    ConfigError
        If a number is below 1, or the frames do not fit the model.
    DataError
        If the first frames hold values that no pixel can have.
    """
    at_least(1, particles=particles, sequences=sequences)
    for score in scores:
        one_of(Score, scores=score)
    source, steps, noise = scored_frames(objective, data, steps, noise)
    like = next(objective.parameters())
    device = like.device
    weights = np.asarray(resolve_step_weights(objective.step_weights, steps))
    parts: list[_Part] = []
    batches = held_out_batches(
        source,
        frames=steps + 1,
        batch_size=batch_size,
        seed=seed,
        stream=Stream.SCORES,
        device=device,
        sequences=sequences,
        collisions=True,
        share=processes.share,
    )
    for batch, generator in batches:
        clip = make_clip(batch.frames.to(like), noise, generator)
        with as_trained(objective), torch.no_grad(), pyro.validation_enabled(False):
            terms = objective(clip, generator, particles=particles)
            found = bound_scores(objective, clip, terms)
        if batch.groups is not None:
            groups = batch.groups[1:].flatten(2).to(device)  # [T, B, D]
            found.update(segmentation_scores_of(terms.rollout, groups, scores))
            if terms.divergence is not None:
                found.update(component_scores(terms.rollout, terms.divergence, groups))
        if batch.collisions is not None:
            collided = batch.collisions[1:].flatten(2).to(device)  # [T, B, D]
            found["collision_bce"] = collision_scores(terms.rollout, clip, collided)
        parts.append(_Part(found, terms.loss.item(), clip.targets.shape[1]))
    parts = processes.in_turn(parts)
    count = sum(part.sequences for part in parts)
    loss_sum = sum(part.loss * part.sequences for part in parts)
    joined = {
        name: np.concatenate([part.scores[name] for part in parts], axis=1)
        for name in parts[0].scores
    }  # [T, N]
    components = {n: joined.pop(n) for n in list(joined) if n.startswith("component_")}  # [K, N]
    means, errors = over_time(joined, weights)
    per_step, per_step_errors = over_sequences(joined)
    return Evaluation(
        {"loss": loss_sum / count, **means},
        per_step,
        {name: values.mean(1).tolist() for name, values in components.items()},
        errors,
        per_step_errors,
        count,
    )
