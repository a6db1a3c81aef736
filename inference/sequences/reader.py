"""Reading sequences from their ends."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["BackwardReader", "reverse"]


class BackwardReader(nn.Module):
    """A gated recurrent unit that reads each sequence from its last step to its first.

    Parameters
    ----------
    num_inputs, size
        Sizes of what it reads and gives at each step.
    """

    def __init__(self, num_inputs: int, size: int) -> None:
        super().__init__()
        self.gru = nn.GRU(num_inputs, size)

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Return a summary of step t and all later ones, [T, B, F] -> [T, B, size].

        What stands behind the end of a sequence is read last and changes nothing before it.
        """
        summaries: Tensor = self.gru(reverse(features, lengths))[0]
        return reverse(summaries, lengths)


def reverse(values: Tensor, lengths: Tensor) -> Tensor:
    """Return [T, B, F] with the steps of each sequence reversed, padding where it was."""
    steps = torch.arange(len(values), device=values.device).unsqueeze(1)  # [T, 1]
    source = torch.where(steps < lengths, lengths - 1 - steps, steps)  # [T, B]
    return values.gather(0, source.unsqueeze(-1).expand_as(values))
