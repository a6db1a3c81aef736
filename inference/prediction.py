"""How far into the future a guide predicts, fed with its own predictions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyro
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.frame_scores import segmentation_scores_of
from inference.guides import RecurrentGuide
from inference.held_out import held_out_batches
from inference.modes import as_trained
from inference.objective import NEMObjective
from inference.scored_frames import scored_frames
from inference.streams import Stream
from models import Rollout
from pyro_nem.data import Clip, FrameSource, Noise, make_clip
from pyro_nem.errors import ConfigError
from pyro_nem.metrics import next_step_bce

__all__ = ["Imagination", "Prediction", "imagine_clip", "predict"]


class Imagination(NamedTuple):
    """One batch: what was seen, and what was predicted to follow.

    Attributes
    ----------
    clip
        The frames of all steps, T seen and N imagined ones; noise is on the seen inputs only.
    seen, imagined
        The guide's states, T and N steps.
    """

    clip: Clip
    seen: Rollout
    imagined: Rollout


class Prediction(NamedTuple):
    """Scores of the imagined steps, name -> [N], means over sequences.

    Attributes
    ----------
    per_step
        "bce", the cross-entropy of max_k psi against the true frame, nats a frame; "wrong_pixels",
        the share of pixels on the wrong side of 1/2; "wrong_pixels_copy", the same of the last seen
        frame; "ari" where there are labels.
    sequences
        Number of sequences.
    """

    per_step: dict[str, list[float]]
    sequences: int


def predict(
    objective: NEMObjective,
    data: FrameSource | NDArray[Any] | Tensor,
    *,
    seen: int,
    steps: int,
    noise: Noise | None = None,
    sample: bool = False,
    batch_size: int = 32,
    seed: int = 0,
) -> Prediction:
    """Let a guide see ``seen`` steps of each sequence and predict the next ``steps`` frames.

    Parameters
    ----------
    objective
        Model, guide and loss.
    data
        The frames: a source, or an array [T, N, rows, columns, C] in [0, 1], of at least
        seen + steps + 1 frames, or static images.
    seen, steps
        How many steps see a frame, and how many predict.
    noise
        The noise on the seen frames; that of :func:`inference.fit` if not given.
    sample
        Draw the states of a stochastic guide from posterior and prior; else their means.
    batch_size
        Sequences at a time.
    seed
        Seed of noise, first responsibilities and draws.

    Raises
    ------
    ConfigError
        If the guide is not recurrent, a number is out of range, or the frames do not fit the model.
    DataError
        If the first frames hold values that no pixel can have.
    """
    source, _, noise = scored_frames(objective, data, seen + steps, noise)
    parts: dict[str, list[NDArray[np.float64]]] = {}
    count = 0
    batches = held_out_batches(
        source,
        frames=seen + steps + 1,
        batch_size=batch_size,
        seed=seed,
        stream=Stream.PREDICTION,
        device=next(objective.parameters()).device,
    )
    for batch, generator in batches:
        made = imagine_clip(objective, batch.frames, seen, noise, generator, sample=sample)
        targets = made.clip.targets[seen:]  # [N, B, D, C]
        brightest = made.imagined.psi.amax(2)  # [N, B, D, C]
        last = made.clip.targets[seen - 1]  # [B, D, C]
        found = {
            "bce": next_step_bce(made.imagined.psi, targets),
            "wrong_pixels": _wrong(brightest, targets),
            "wrong_pixels_copy": _wrong(last.expand_as(targets), targets),
        }
        for name, values in found.items():
            parts.setdefault(name, []).append(values.double().cpu().numpy())
        if batch.groups is not None:
            groups = batch.groups[1 + seen :].flatten(2).to(targets.device)  # [N, B, D]
            ari = segmentation_scores_of(made.imagined, groups, ("ari",))["ari"]
            parts.setdefault("ari", []).append(ari)
        count += targets.shape[1]
    joined = {name: np.concatenate(values, axis=1) for name, values in parts.items()}  # [N, B]
    means = {
        name: np.nanmean(values, axis=1).tolist()
        for name, values in joined.items()
        # A step at which no frame has a scored pixel has no mean.
        if not np.isnan(values).all(axis=1).any()
    }
    return Prediction(means, count)


def imagine_clip(
    objective: NEMObjective,
    frames: Tensor,
    seen: int,
    noise: Noise,
    generator: torch.Generator,
    *,
    sample: bool = False,
) -> Imagination:
    """Let a guide see the first steps of a batch and predict the rest.

    Parameters
    ----------
    objective
        Model, guide and loss.
    frames
        Clean frames, [seen + N + 1, B, rows, columns, C].
    seen
        Steps that see a frame.
    noise, generator
        Noise on the seen frames, and the source of all randomness.
    sample
        Draw the states of a stochastic guide instead of taking means.

    Raises
    ------
    ConfigError
        If the guide is not recurrent, or there is nothing to see or to predict.
    """
    guide = objective.guide
    if not isinstance(guide, RecurrentGuide):
        raise ConfigError(
            f"guide: expected a RecurrentGuide, which can be fed its own predictions, got "
            f"{type(guide).__name__}; derive it from inference.guides.RecurrentGuide"
        )
    steps = frames.shape[0] - 1 - seen
    if seen < 1 or steps < 1:
        raise ConfigError(
            f"seen, steps: expected at least one step of each, got {seen} and {steps}"
        )
    clip = make_clip(frames.to(next(objective.parameters())), noise, generator)
    first = Clip(clip.inputs[:seen], clip.targets[:seen])
    with as_trained(objective), torch.no_grad(), pyro.validation_enabled(False):
        states, imagined = guide.imagine(first, steps, generator, sample=sample)
    # Every frame got noise; those that the guide did not see are given as they are. The input of a
    # step is the target of the one before.
    inputs = torch.cat([first.inputs, clip.targets[seen - 1 : -1]])
    return Imagination(clip._replace(inputs=inputs), states, imagined)


def _wrong(predicted: Tensor, targets: Tensor) -> Tensor:
    """Return the share of pixels on the wrong side of 1/2, [N, B]."""
    return ((predicted > 0.5) != (targets > 0.5)).double().mean((-2, -1))
