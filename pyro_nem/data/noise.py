"""Noise on the frames that a guide reads, which makes its task denoising.

Source: the released code; probability 0.2 in the paper's experiments on sequences, 0.1 on static
shapes. Independent for each frame, sequence, pixel and channel; all components read the same
noisy frame. The original applies it at validation and test as well.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from pyro_nem.checks import one_of
from pyro_nem.errors import ConfigError

__all__ = ["Noise", "bitflip", "masked_uniform"]

_Kind = Literal["none", "bitflip", "masked-uniform"]


def bitflip(frames: torch.Tensor, probability: float, generator: torch.Generator) -> torch.Tensor:
    """Return frames in which each value x became 1 - x with the given probability.

    For binary frames this is x XOR Bernoulli(probability).

    Parameters
    ----------
    frames
        Intensities in [0, 1], any shape; not changed.
    probability
        Chance that a value flips, in [0, 1].
    generator
        Source of randomness, on the device of `frames`.

    Raises
    ------
    ConfigError
        The probability is outside [0, 1].
    """
    _check_probability(probability)
    return torch.where(_chosen(frames, probability, generator), 1.0 - frames, frames)


def masked_uniform(
    frames: torch.Tensor, probability: float, generator: torch.Generator
) -> torch.Tensor:
    """Return frames in which each value was replaced by U(0, 1) with the given probability.

    Parameters
    ----------
    frames
        Intensities in [0, 1], any shape; not changed.
    probability
        Chance that a value is replaced, in [0, 1].
    generator
        Source of randomness, on the device of `frames`.

    Raises
    ------
    ConfigError
        The probability is outside [0, 1].
    """
    _check_probability(probability)
    chosen = _chosen(frames, probability, generator)
    uniform = torch.rand(
        frames.shape, generator=generator, dtype=frames.dtype, device=frames.device
    )
    return torch.where(chosen, uniform, frames)


@dataclass(frozen=True)
class Noise:
    """The noise of an experiment; call it on frames."""

    kind: _Kind = "bitflip"
    """`bitflip` for binary frames, `masked-uniform` for grey ones."""
    probability: float = 0.2
    """Chance that a value is touched; `none` ignores it."""

    def __post_init__(self) -> None:
        one_of(_Kind, **{"Noise.kind": self.kind})
        _check_probability(self.probability)

    def __call__(self, frames: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return noisy frames of the same shape; `frames` itself for `none`."""
        if self.kind == "none":
            return frames
        apply = bitflip if self.kind == "bitflip" else masked_uniform
        return apply(frames, self.probability, generator)


def _chosen(frames: torch.Tensor, probability: float, generator: torch.Generator) -> torch.Tensor:
    """Return which values are touched, bool, in the shape of `frames`."""
    # rand is in [0, 1), so probability 0 touches nothing and 1 everything.
    return torch.rand(frames.shape, generator=generator, device=frames.device) < probability


def _check_probability(probability: float) -> None:
    """Check a chance; NaN fails too."""
    if not 0.0 <= probability <= 1.0:
        raise ConfigError(f"probability: expected a number in [0, 1], got {probability}")
