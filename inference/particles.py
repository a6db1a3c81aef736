"""Particles side by side in a batch, where a recurrence has them, and on an axis of their own."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["repeat_rows", "stack_steps"]


def repeat_rows(part: Tensor, particles: int) -> Tensor:
    """Return [B, ...] as [S B, ...], all sequences of a particle side by side."""
    return part if particles == 1 else part.repeat(particles, *[1] * (part.dim() - 1))


def stack_steps(parts: list[Tensor], particles: int) -> Tensor:
    """Return T parts [S B, ...] as [S, T, B, ...]; a single particle has no axis, [T, B, ...]."""
    stacked = torch.stack(parts)  # [T, S B, ...]
    if particles == 1:
        return stacked
    unfolded: Tensor = stacked.unflatten(1, (particles, -1))  # [T, S, B, ...]
    return unfolded.transpose(0, 1)  # [S, T, B, ...]
