"""Sequences of unequal length as one padded batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pyro_nem.data.scaling import Scaling
from pyro_nem.data.sequence_checks import check_sequences
from pyro_nem.data.stored_rows import Rows, loaded

__all__ = ["SequenceBatch", "pad", "pad_checked"]


class SequenceBatch(NamedTuple):
    """Sequences padded to the longest of them."""

    x: Tensor
    """What is modelled, 0 after the end of a sequence, float32; shape `[T, B, D]`."""
    mask: Tensor
    """Whether a sequence has the step, bool; shape `[T, B]`."""
    lengths: Tensor
    """Steps of each sequence, int64; shape `[B]`."""
    mean_steps: float | None = None
    """Of a share of a larger batch: the steps of that batch divided by the number of its shares."""
    before: Tensor | None = None
    """The step before the first, for laws that read it, 0 where there is none; shape `[B, D]`."""

    @property
    def steps(self) -> Tensor | float:
        """What a loss in nats a step is divided by.

        The steps of the batch; for a share of a larger batch the mean over its shares, so that the
        mean of the losses of all shares is the loss of that batch whatever their lengths.
        """
        return self.lengths.sum() if self.mean_steps is None else self.mean_steps

    @property
    def first_before(self) -> Tensor:
        """The step before the first, `[B, D]`; zeros if not known."""
        return torch.zeros_like(self.x[0]) if self.before is None else self.before

    def to(self, like: Tensor) -> SequenceBatch:
        """Return the batch on a tensor's device, `x` with its dtype."""
        return SequenceBatch(
            self.x.to(like),
            self.mask.to(like.device),
            self.lengths.to(like.device),
            self.mean_steps,
            None if self.before is None else self.before.to(like),
        )


def pad(
    sequences: Sequence[Rows],
    scaling: Scaling | None = None,
    before: Sequence[Rows | None] | None = None,
) -> SequenceBatch:
    """Return sequences as one batch.

    Parameters
    ----------
    sequences
        Each `[T_n, D]`.
    scaling
        What their units are changed by.
    before
        The step before each, `[1, D]`, where there is one.

    Raises
    ------
    DataError
        There is no sequence, one is not an array of real numbers, empty or of another size than the
        first, or `scaling` or `before` do not fit the sequences.
    """
    check_sequences("batch", sequences, scaling, before)
    return pad_checked(sequences, scaling, before)


def pad_checked(
    sequences: Sequence[Rows],
    scaling: Scaling | None,
    before: Sequence[Rows | None] | None,
) -> SequenceBatch:
    """Return what :func:`pad` does of sequences that were checked, once for many batches."""
    lengths = torch.tensor([len(sequence) for sequence in sequences])  # [B]
    steps = int(lengths.max())
    x = torch.zeros(steps, len(sequences), sequences[0].shape[1])
    for index, sequence in enumerate(sequences):
        x[: len(sequence), index] = _numbers(sequence, scaling)
    batch = SequenceBatch(x, torch.arange(steps).unsqueeze(1) < lengths, lengths)
    if before is None:
        return batch
    first = torch.zeros_like(x[0])  # [B, D]
    for index, row in enumerate(before):
        if row is not None:
            first[index] = _numbers(row, scaling)[0]
    return batch._replace(before=first)


def _numbers(rows: Rows, scaling: Scaling | None) -> Tensor:
    numbers = loaded(rows) if scaling is None else scaling.apply(loaded(rows))
    # A copy, because PyTorch takes no arrays that cannot be written to.
    return torch.from_numpy(np.array(numbers, np.float32))
