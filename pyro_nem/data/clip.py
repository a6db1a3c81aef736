"""Frames arranged as the steps of a guide and a model."""

from typing import NamedTuple

import torch

from pyro_nem.data.noise import Noise
from pyro_nem.errors import ConfigError

__all__ = ["Clip", "make_clip"]


class Clip(NamedTuple):
    """T steps; at each the guide reads a noisy frame and the model explains the next clean one.

    As in the released code, E-step and loss use the clean frame t + 1, the recurrent network the
    noisy frame t.
    """

    inputs: torch.Tensor
    """Noisy frames x_0 .. x_{T-1}; shape `[T, B, D, C]`, D pixels row by row."""
    targets: torch.Tensor
    """Clean frames x_1 .. x_T; shape `[T, B, D, C]`."""
    observed: torch.Tensor | None = None
    """Which pixels of the targets are known, bool, False for missing; shape `[T, B, D]`.

    None means all of them.
    """

    def at(self, steps: torch.Tensor | slice) -> "Clip":
        """Return the clip of some steps, given by a slice or a LongTensor of indices."""
        observed = None if self.observed is None else self.observed[steps]
        return Clip(self.inputs[steps], self.targets[steps], observed)


def make_clip(frames: torch.Tensor, noise: Noise, generator: torch.Generator) -> Clip:
    """Pair every frame but the last, with noise, with the clean frame that follows it.

    Parameters
    ----------
    frames
        Clean frames; shape `[T + 1, B, rows, columns, C]`. Static images repeated along time get
        fresh noise at every step.
    noise
        The noise on the inputs.
    generator
        Its source of randomness, on the device of `frames`.

    Raises
    ------
    ConfigError
        Another rank, or fewer than two frames.
    """
    if frames.ndim != 5 or frames.shape[0] < 2:
        raise ConfigError(
            "frames: expected shape [T + 1, B, rows, columns, C] with at least 2 frames, got "
            f"{list(frames.shape)}"
        )
    pixels = frames.flatten(2, 3)  # [T + 1, B, D, C]
    return Clip(inputs=noise(pixels[:-1], generator), targets=pixels[1:])
