"""What Gaussian draws are made from."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

__all__ = ["standard_normal"]


def standard_normal(shape: tuple[int, ...], like: Tensor, generator: Generator | None) -> Tensor:
    """Return standard normal numbers of a shape, with the dtype and on the device of a tensor.

    Without a generator they come from PyTorch's global one.
    """
    return torch.randn(shape, generator=generator, dtype=like.dtype, device=like.device)
