"""The posterior of a set of sequences in ArviZ's schema."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor, nn

from inference.diagnostics.attributes import attributes_of
from inference.diagnostics.batch_draws import Amount, batch_draws, compact
from inference.diagnostics.pair_panel import draw_pairs
from inference.diagnostics.prior_frames import prior_frames
from inference.diagnostics.schema import Arrays
from inference.diagnostics.tree import build_tree, join_batches
from inference.held_out import held_out_batches
from inference.objective import NEMObjective
from inference.scored_frames import scored_frames
from inference.streams import Stream, update_seed
from models import SpatialMixture
from pyro_nem.checks import at_least
from pyro_nem.data import FrameSource, Noise, frames_sha256, make_clip

__all__ = ["diagnose"]


def diagnose(
    model: SpatialMixture,
    guide: nn.Module,
    data: FrameSource | NDArray[Any] | Tensor,
    *,
    sequences: int = 100,
    restarts: int = 4,
    draws: int = 100,
    shown_sequences: int = 8,
    shown_steps: int = 3,
    pairs: int = 32,
    steps: int | None = None,
    noise: Noise | None = None,
    rows_at_once: int = 100,
    seed: int = 0,
) -> xr.DataTree:
    """Describe what a guide believes of each sequence, for ArviZ and the functions beside this one.

    A chain is a restart: the guide run from first responsibilities of its own, on the same noisy
    frames. A draw of a stochastic guide is a particle, theta and an assignment. A guide of point
    masses has one theta for each chain, and only assignments are drawn, from their exact
    conditional; that costs one run of the guide for each chain, however many draws.

    Frames are stored for a few sequences and steps only, the shown ones. Everything else is
    summarised by sequence. Every variable tells its meaning in its attribute ``description``.

    Parameters
    ----------
    model, guide
        The Pyro program and its guide.
    data
        The frames: a source, or an array [T, N, rows, columns, C] in [0, 1].
    sequences
        Describe so many, the first ones, or all if there are fewer.
    restarts
        Chains. R-hat needs two.
    draws
        Draws of each chain.
    shown_sequences
        Sequences with variables at full resolution, the first ones.
    shown_steps
        Their steps that are stored, at equal distances up to the last.
    pairs
        Pairs of pixels of each sequence's last frame, of which it is told how probable it is that
        they belong together: scored pixels where there are labels.
    steps, noise
        See :func:`inference.evaluate`.
    rows_at_once
        Restarts and particles of several sequences are computed together, as many as this, and
        one sequence at least.
    seed
        Seed of noise, first responsibilities, draws and pairs.

    Returns
    -------
    xr.DataTree
        The groups ``posterior``, ``posterior_predictive``, ``prior_predictive`` (learned priors
        only; the attribute of that name says why not), ``log_likelihood``, ``sample_stats``,
        ``observed_data`` and ``constant_data``.

    Raises
    ------
    ConfigError
        If a number is out of range, the frames do not fit the model, or the guide belongs to
        another one.
    """
    at_least(
        1,
        sequences=sequences,
        restarts=restarts,
        draws=draws,
        shown_sequences=shown_sequences,
        shown_steps=shown_steps,
        pairs=pairs,
        rows_at_once=rows_at_once,
    )
    at_least(2, pixels=model.num_pixels)
    objective = NEMObjective(model, guide)
    source, steps, noise = scored_frames(objective, data, steps, noise)
    like = next(objective.parameters())
    # Point masses are not repeated for each draw.
    stochastic = bool(getattr(guide, "stochastic", True))
    rows = restarts * draws if stochastic else restarts
    frames_at = _evenly(steps, shown_steps)
    parts: list[Arrays] = []
    count = 0
    for batch, generator in held_out_batches(
        source,
        frames=steps + 1,
        batch_size=max(1, rows_at_once // rows),
        seed=seed,
        stream=Stream.DIAGNOSIS,
        device=like.device,
        sequences=sequences,
    ):
        clip = make_clip(batch.frames.to(like), noise, generator)
        size = clip.targets.shape[1]
        labels = None if batch.groups is None else batch.groups[1:].flatten(2).to(like.device)
        unknown = torch.zeros(size, model.num_pixels, device=like.device)
        known = unknown if labels is None else labels[-1]
        panel = draw_pairs(known, pairs, seed=seed, first=count)
        shown = min(max(0, shown_sequences - count), size)
        amount = Amount(restarts, draws, shown, frames_at)
        parts.append(batch_draws(objective, clip, labels, panel, amount, generator))
        count += size
    arrays = join_batches(parts, draws)
    generator = torch.Generator(like.device).manual_seed(
        update_seed(seed, Stream.DIAGNOSIS, len(parts))
    )
    prior = prior_frames(objective, steps, draws, generator)
    if prior.frames is not None:
        arrays["prior_predictive/x"] = compact(prior.frames[None])
    return build_tree(
        arrays,
        source.image_shape[:2],
        {"step": np.arange(1, steps + 1), "shown_step": np.array(frames_at) + 1},
        attributes_of(
            source.name,
            frames_sha256(source, steps + 1, sequences),
            model,
            guide,
            seed,
            labels=int("constant_data/group" in arrays),
            prior_predictive=prior.origin,
        ),
    )


def _evenly(steps: int, number: int) -> tuple[int, ...]:
    """Return so many steps, counted from 0, at equal distances up to the last one."""
    places = np.linspace(steps - 1, 0, min(number, steps))
    return tuple(sorted({round(place) for place in places.tolist()}))
