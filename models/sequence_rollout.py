"""What a guide hands to a sequence model: its latents, and what was computed on the way to them."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from models.rollout import StateLaw

__all__ = ["RecurrentState", "SequenceRollout"]


class RecurrentState(NamedTuple):
    """What the recurrence carries from step to step, both [..., G].

    Attributes
    ----------
    hidden
        What prior, posterior and decoder read.
    cell
        The memory of the LSTM.
    """

    hidden: Tensor
    cell: Tensor


class SequenceRollout(NamedTuple):
    """The latents of T steps, with what was computed on the way to them.

    The particle axis S stands leftmost, and only where a guide drew several.

    Attributes
    ----------
    z
        The latents, [(S,) T, B, H].
    context
        What the recurrence knows before each step, h_{t-1}, [(S,) T, B, G].
    posterior
        The law q(z_t) that z was drawn from, [(S,) T, B, H]; None in a model without latents, and
        where latents were given without it.
    final
        The recurrence after the last step, [(S,) B, G].
    resampled
        Whether the particles of a sequence were resampled after a step, bool [T, B]; None if that
        was not asked for. The particles of later steps are then others: z and context are those
        that the weights of a step belong to.
    """

    z: Tensor
    context: Tensor
    posterior: StateLaw | None
    final: RecurrentState
    resampled: Tensor | None = None
