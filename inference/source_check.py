"""Frames against the objective that is to take them."""

from __future__ import annotations

from inference.objective import NEMObjective
from inference.pixel_levels import check_levels
from pyro_nem.checks import at_least
from pyro_nem.data import FrameSource
from pyro_nem.errors import ConfigError

__all__ = ["check_source"]


def check_source(objective: NEMObjective, source: FrameSource, steps: int) -> None:
    """Check that an objective can take a source's frames for so many steps.

    Raises
    ------
    ConfigError
        If the frames are of another size than the model's, too few, or grey where its pixels are
        Bernoulli (see :func:`check_levels`); the message names them.
    DataError
        If the first frames hold values that no pixel can have.
    """
    if source.image_shape != objective.model.image_shape:
        raise ConfigError(
            f"{source.name}: frames are {source.image_shape} (rows, columns, channels), but the "
            f"model's decoder makes {objective.model.image_shape}; build it with "
            f"image_shape={source.image_shape}"
        )
    at_least(1, steps=steps)
    if 1 < source.num_frames < steps + 1:
        raise ConfigError(
            f"steps: {steps} steps need {steps + 1} frames, but {source.name} has "
            f"{source.num_frames}; ask for at most {source.num_frames - 1} steps. The axes are "
            f"(T, N, rows, columns, C): these are {source.num_sequences:,} sequences"
        )
    check_levels(objective.model, source)
