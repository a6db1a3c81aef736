"""Frames that a trained objective is to score, with the conditions that were left open."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray
from torch import Tensor

from inference.objective import NEMObjective
from inference.source_check import check_source
from models import BernoulliPixels, SpatialMixture
from pyro_nem.data import FrameSource, Noise, as_source
from pyro_nem.errors import ConfigError

__all__ = ["ScoredFrames", "default_noise", "default_steps", "scored_frames"]


class ScoredFrames(NamedTuple):
    """Frames and the conditions under which they are scored."""

    source: FrameSource
    """Where they come from."""
    steps: int
    """T."""
    noise: Noise
    """What is put on the guide's input."""


def scored_frames(
    objective: NEMObjective,
    data: FrameSource | NDArray[Any] | Tensor,
    steps: int | None,
    noise: Noise | None,
) -> ScoredFrames:
    """Return frames with their conditions, after checking that the objective can take them.

    Parameters
    ----------
    objective
        Model, guide and bound.
    data
        A source, or an array [T, N, rows, columns, C] in [0, 1].
    steps
        T, or None for as many as use all frames.
    noise
        That of the guide's input, or None for :func:`default_noise`.

    Raises
    ------
    ConfigError, DataError
        See :func:`check_source`; or static images have no number of steps.
    """
    source = as_source(data, "data")
    steps = default_steps(source) if steps is None else steps
    noise = default_noise(objective.model) if noise is None else noise
    check_source(objective, source, steps)
    return ScoredFrames(source, steps, noise)


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
