"""Sequences of unequal length: the set that holds them, and the padded batches they come in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pyro_nem.checks import at_least
from pyro_nem.data.scaling import Scaling
from pyro_nem.data.sequence_schedule import SequenceSchedule
from pyro_nem.data.share import WHOLE, Share
from pyro_nem.errors import ConfigError, DataError

__all__ = ["SequenceBatch", "SequenceSet", "pad", "padded_batches", "shuffled_batches"]

_WHOLE_SEQUENCES = SequenceSchedule()


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

    @property
    def steps(self) -> Tensor | float:
        """What a loss in nats a step is divided by.

        The steps of the batch; for a share of a larger batch the mean over its shares, so that the
        mean of the losses of all shares is the loss of that batch whatever their lengths.
        """
        return self.lengths.sum() if self.mean_steps is None else self.mean_steps

    def to(self, like: Tensor) -> SequenceBatch:
        """Return the batch on a tensor's device, `x` with its dtype."""
        return SequenceBatch(
            self.x.to(like),
            self.mask.to(like.device),
            self.lengths.to(like.device),
            self.mean_steps,
        )


class SequenceSet:
    """A split of a data set of sequences, held in memory.

    Parameters
    ----------
    name
        What error messages call the data.
    sequences
        One array a sequence, `[T_n, D]` of any real dtype; at least one of at least one step. They
        are kept as they are, which may be on disk.
    scaling
        What batches and :meth:`scaled` change units by.

    Raises
    ------
    DataError
        There is no sequence, or one is empty, of another size than the first, or not finite.
    """

    def __init__(
        self, name: str, sequences: Sequence[NDArray[Any]], scaling: Scaling | None = None
    ) -> None:
        if not sequences:
            raise DataError(f"{name}: expected at least one sequence, found none")
        size = sequences[0].shape[-1]
        for index, sequence in enumerate(sequences):
            if sequence.ndim != 2 or len(sequence) == 0 or sequence.shape[1] != size:
                raise DataError(
                    f"{name}, sequence {index}: expected [steps, {size}] with at least one step, "
                    f"found {sequence.shape}"
                )
            # Whole numbers are finite, and need not be read from disk to see it.
            if sequence.dtype.kind == "f" and not np.isfinite(sequence).all():
                raise DataError(f"{name}, sequence {index}: expected finite numbers, found others")
        self.name = name
        self.sequences = tuple(sequences)
        self.scaling = scaling

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def size(self) -> int:
        """D, the numbers of a step."""
        return int(self.sequences[0].shape[1])

    @property
    def num_steps(self) -> int:
        """The steps of all sequences together."""
        return sum(len(sequence) for sequence in self.sequences)

    def scaled(self) -> Iterator[NDArray[np.float64]]:
        """Yield the sequences `[T_n, D]` in the units that batches have."""
        for sequence in self.sequences:
            yield (
                sequence.astype(np.float64)
                if self.scaling is None
                else self.scaling.apply(sequence)
            )

    def mean(self) -> Tensor:
        """Return the mean over all steps in the units of the sequences, float32; shape `[D]`."""
        total = np.sum([sequence.sum(0, dtype=np.float64) for sequence in self.sequences], axis=0)
        return torch.from_numpy(total / self.num_steps).float()

    def first(self, count: int) -> SequenceSet:
        """Return the set of the first `count` sequences, or of all if there are fewer."""
        return SequenceSet(self.name, self.sequences[:count], self.scaling)

    def pieces(self, steps: int) -> SequenceSet:
        """Return the set of the sequences cut into pieces of `steps` steps, the last ones shorter.

        Raises
        ------
        ConfigError
            `steps` is below 1.
        """
        at_least(1, steps=steps)
        parts = [
            sequence[start : start + steps]
            for sequence in self.sequences
            for start in range(0, len(sequence), steps)
        ]
        return SequenceSet(f"{self.name}, in pieces of {steps} steps", parts, self.scaling)


def pad(sequences: Sequence[NDArray[Any]], scaling: Scaling | None = None) -> SequenceBatch:
    """Return sequences `[T_n, D]` as one batch, scaled if a scaling is given."""
    lengths = torch.tensor([len(sequence) for sequence in sequences])  # [B]
    steps = int(lengths.max())
    x = torch.zeros(steps, len(sequences), sequences[0].shape[1])
    for index, sequence in enumerate(sequences):
        numbers = sequence if scaling is None else scaling.apply(sequence)
        # A copy, because PyTorch takes no arrays that cannot be written to.
        x[: len(sequence), index] = torch.from_numpy(np.array(numbers, np.float32))
    return SequenceBatch(x, torch.arange(steps).unsqueeze(1) < lengths, lengths)


def padded_batches(
    source: SequenceSet, *, batch_size: int, share: Share = WHOLE
) -> Iterator[SequenceBatch]:
    """Yield all sequences, in the order of the set; the last batch may be smaller.

    Parameters
    ----------
    source
        The data.
    batch_size
        B, the sequences of each batch but the last.
    share
        The batches are dealt out in turns, and only those of this share are returned.

    Raises
    ------
    ConfigError
        The batch size is below 1.
    """
    at_least(1, batch_size=batch_size)
    for start in range(share.index * batch_size, len(source), share.count * batch_size):
        yield pad(source.sequences[start : start + batch_size], source.scaling)


def shuffled_batches(
    source: SequenceSet,
    *,
    batch_size: int,
    seed: int,
    start: int = 0,
    share: Share = WHOLE,
    schedule: SequenceSchedule = _WHOLE_SEQUENCES,
) -> Iterator[SequenceBatch]:
    """Yield the batches of updates `start`, `start + 1`, ... without end; epochs follow each other.

    The order of an epoch is a function of seed and epoch, see :func:`epoch_order`, so that a
    resumed run sees what an uninterrupted one does. An epoch's last incomplete batch is dropped.

    Parameters
    ----------
    source
        The data.
    batch_size
        B, the sequences of each batch.
    seed
        Fixes the order.
    start
        Number of the first batch, counted from 0 over all epochs.
    share
        The part of each batch that is returned; all shares together have the batch.
    schedule
        A replay buffer or a curriculum.

    Raises
    ------
    ConfigError
        There are fewer sequences than one batch, the batch cannot be shared equally, or nothing of
        it would be new.
    """
    at_least(1, batch_size=batch_size)
    at_least(0, start=start)
    if len(source) < batch_size:
        raise ConfigError(
            f"batch_size: {source.name} has {len(source)} sequences, fewer than one batch of "
            f"{batch_size}; choose a smaller batch"
        )
    # What cannot be shared or scheduled is refused now and not at the first batch.
    share.size(batch_size)
    schedule.new_sequences(batch_size)
    return _shuffled(source, batch_size, seed, start, share, schedule)


def _shuffled(
    source: SequenceSet,
    batch_size: int,
    seed: int,
    start: int,
    share: Share,
    schedule: SequenceSchedule,
) -> Iterator[SequenceBatch]:
    size = share.size(batch_size)
    own = slice(share.index * size, (share.index + 1) * size)
    longest = max(len(sequence) for sequence in source.sequences)
    order = schedule.batches(len(source), batch_size=batch_size, seed=seed, start=start)
    for update, chosen in enumerate(order, start):
        length = schedule.length(update, longest)
        sequences = [source.sequences[index][:length] for index in chosen]
        batch = pad(sequences[own], source.scaling)
        if share.count > 1:
            steps = sum(len(sequence) for sequence in sequences)
            batch = batch._replace(mean_steps=steps / share.count)
        yield batch
