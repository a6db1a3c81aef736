"""A linear layer that takes few ones among many zeros by their places."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["SparseLinear"]


class SparseLinear(nn.Linear):
    """A linear layer [..., F] -> [..., W] that multiplies by no zeros where it is told the ones.

    As the targets of PyTorch's cross entropy, inputs are numbers or, if they are int64, places:
    [..., M], each in [0, F), stand for the vector that has ones there and zeros elsewhere. Weights
    and results are those of ``nn.Linear``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return W x + b, [..., F] or int64 [..., M] -> [..., W]."""
        if x.dtype != torch.int64:
            return super().forward(x)
        columns = F.embedding(x, self.weight.T).sum(-2)  # [..., W]
        return columns if self.bias is None else columns + self.bias
