"""The importance-weighted bound of a stochastic guide, as an evaluation of any checkpoint."""

from __future__ import annotations

from itertools import count
from typing import Any, NamedTuple

import pyro
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from inference.bounds import combine
from inference.frame_scores import sampled_terms
from inference.modes import as_trained
from inference.objective import NEMObjective
from inference.processes import ALONE, Processes
from inference.scored_frames import scored_frames
from inference.streams import Stream, update_seed
from pyro_nem.checks import at_least
from pyro_nem.data import Clip, FrameSource, Noise, make_clip, ordered_batches

__all__ = ["ImportanceWeighted", "importance_weighted"]


class ImportanceWeighted(NamedTuple):
    """Bounds on log p(x_{1:T}) of every sequence, over the T steps, in nats a frame.

    Attributes
    ----------
    iwae
        log of the mean of S weights, [N]; tighter the larger S.
    elbo
        The mean of their logarithms, [N], at the same draws.
    predictive
        log of the mean of p(x | theta), [N], at the same draws. The guide draws theta_t before it
        sees the frame x_{t+1} that theta_t explains, so on videos this is the density of each frame
        given what the guide knew of the earlier ones: exact for point masses, in expectation too
        low for fewer than infinitely many draws of a stochastic guide.
    particles
        S; 1 for a guide of point masses, whose draws would all be alike.
    """

    iwae: Tensor
    elbo: Tensor
    predictive: Tensor
    particles: int


def importance_weighted(
    objective: NEMObjective,
    data: FrameSource | NDArray[Any] | Tensor,
    *,
    particles: int = 100,
    sequences: int | None = None,
    steps: int | None = None,
    noise: Noise | None = None,
    rows_at_once: int = 200,
    seed: int = 0,
    processes: Processes = ALONE,
) -> ImportanceWeighted:
    """Bound log p(x) by S draws of the guide for each sequence. All steps count alike.

    Parameters
    ----------
    objective
        Model and guide; which bound they were trained with does not matter.
    data
        The frames: a source, or an array [T, N, rows, columns, C] in [0, 1].
    particles
        S. The noise depends on it but not on the guide, so that point masses, of which a single
        draw is computed, are scored on the same noisy frames as a stochastic guide.
    sequences
        Score only so many, the first ones.
    steps, noise
        See :func:`inference.evaluate`.
    rows_at_once
        Draws of several sequences are computed together, as many as this.
    seed
        Seed of noise, first responsibilities and draws.
    processes
        See :func:`inference.evaluate`.

    Raises
    ------
    ConfigError
        If a number is below 1, or the frames do not fit the model.
    DataError
        If the first frames hold values that no pixel can have.
    """
    at_least(1, particles=particles, sequences=sequences)
    source, steps, noise = scored_frames(objective, data, steps, noise)
    like = next(objective.parameters())
    size, together = max(1, rows_at_once // particles), 1
    if not getattr(objective.guide, "stochastic", True):
        particles, together = 1, max(1, rows_at_once // size)
    bounds: list[Tensor] = []
    share = processes.share
    batches = ordered_batches(
        source, frames=steps + 1, batch_size=size * together, sequences=sequences, share=share
    )
    for index, batch in zip(count(share.index, share.count), batches, strict=False):
        frames = batch.frames.to(like)
        clip, generator = _noisy(frames, noise, size, seed, index * together)
        with as_trained(objective), torch.no_grad(), pyro.validation_enabled(False):
            rollout = objective.guide.rollout(clip, generator, particles)
            parts = sampled_terms(objective, clip, rollout)
        likelihood = parts.log_likelihood.sum(1).double()  # [S, B]
        log_weights = likelihood - parts.divergence.sum(1).double()  # [S, B]
        found = torch.stack(
            [
                combine("iwae", log_weights),
                combine("elbo", log_weights),
                combine("iwae", likelihood),
            ]
        )  # [3, B]
        bounds.append(found.cpu() / steps)
    iwae, elbo, predictive = torch.cat(processes.in_turn(bounds), 1)
    return ImportanceWeighted(iwae, elbo, predictive, particles)


def _noisy(
    frames: Tensor, noise: Noise, size: int, seed: int, first: int
) -> tuple[Clip, Generator]:
    """Return a clip of which every ``size`` sequences have noise of their own, and a generator.

    It is that of the first ones, and has drawn their noise.
    """
    parts = frames.split(size, 1)
    generators = [
        Generator(frames.device).manual_seed(update_seed(seed, Stream.BOUNDS, first + n))
        for n in range(len(parts))
    ]
    clips = [
        make_clip(part, noise, generator) for part, generator in zip(parts, generators, strict=True)
    ]
    inputs = torch.cat([clip.inputs for clip in clips], 1)
    return Clip(inputs, torch.cat([clip.targets for clip in clips], 1)), generators[0]
