"""Sequences of unequal length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pyro_nem.checks import at_least
from pyro_nem.data.scaling import Scaling
from pyro_nem.data.sequence_batch import SequenceBatch, pad_checked
from pyro_nem.data.sequence_checks import check_sequences
from pyro_nem.data.stored_rows import Rows, loaded, rows_of
from pyro_nem.errors import DataError

__all__ = ["SequenceSet"]


class SequenceSet:
    """A split of a data set of sequences, in memory or in files.

    Parameters
    ----------
    name
        What error messages call the data.
    sequences
        One NumPy array a sequence, `[T_n, D]` of any real dtype; at least one of at least one step.
        They are kept as they are; what is in files is read when it is used.
    scaling
        What batches and :meth:`scaled` change units by.
    before
        The step before each sequence, `[1, D]`, where it is a piece of a longer one; batches have
        it for laws that read it.

    Raises
    ------
    DataError
        There is no sequence, one is not an array of finite real numbers, empty or of another size
        than the first, or `scaling` or `before` do not fit the sequences.
    """

    def __init__(
        self,
        name: str,
        sequences: Sequence[Rows],
        scaling: Scaling | None = None,
        before: Sequence[Rows | None] | None = None,
    ) -> None:
        check_sequences(name, sequences, scaling, before)
        for index, sequence in enumerate(sequences):
            # Whole numbers are finite, and need not be read from disk to see it.
            if sequence.dtype.kind == "f" and not np.isfinite(loaded(sequence)).all():
                raise DataError(f"{name}, sequence {index}: expected finite numbers, found others")
        self.name = name
        self.scaling = scaling
        self._kept = tuple(sequences)
        self._before = None if before is None else tuple(before)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def sequences(self) -> Sequence[NDArray[Any]]:
        """The arrays, those of files mapped while they are looked at."""
        return _Loading(self._kept)

    @property
    def size(self) -> int:
        """D, the numbers of a step."""
        return int(self._kept[0].shape[1])

    @property
    def num_steps(self) -> int:
        """The steps of all sequences together."""
        return sum(len(sequence) for sequence in self._kept)

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

    @property
    def longest(self) -> int:
        """The steps of the longest sequence."""
        return max(map(len, self._kept))

    def steps_of(self, chosen: Iterable[int], most: int) -> int:
        """Return the steps of some sequences together, counting so many of each at most."""
        return sum(min(most, len(self._kept[index])) for index in chosen)

    def batch(self, chosen: Sequence[int], most: int | None = None) -> SequenceBatch:
        """Return some sequences as a batch, cut to so many steps if `most` is given.

        Raises
        ------
        ConfigError
            `most` is below 1.
        DataError
            No sequence is chosen.
        """
        if not len(chosen):
            raise DataError("chosen: expected the index of at least one sequence, got none")
        if most is not None:
            at_least(1, most=most)
        kept, before = self._at(chosen)
        if most is not None:
            kept = [rows if len(rows) <= most else rows_of(rows, 0, most) for rows in kept]
        return pad_checked(kept, self.scaling, before)

    def first(self, count: int) -> SequenceSet:
        """Return the set of the first `count` sequences, or of all if there are fewer."""
        before = None if self._before is None else self._before[:count]
        return SequenceSet(self.name, self._kept[:count], self.scaling, before)

    def shuffled(self, seed: int) -> SequenceSet:
        """Return the same sequences in an order that the seed fixes."""
        order = np.random.default_rng(seed).permutation(len(self)).tolist()
        kept, before = self._at(order)
        return SequenceSet(self.name, kept, self.scaling, before)

    def pieces(self, steps: int, *, connected: bool = True) -> SequenceSet:
        """Return the set of the sequences cut into pieces of `steps` steps, the last ones shorter.

        Parameters
        ----------
        steps
            The steps of a piece.
        connected
            Let batches have the step before a piece.

        Raises
        ------
        ConfigError
            `steps` is below 1.
        """
        at_least(1, steps=steps)
        places = [
            (index, start)
            for index, sequence in enumerate(self._kept)
            for start in range(0, len(sequence), steps)
        ]
        parts = [rows_of(self._kept[index], start, start + steps) for index, start in places]
        before = [self._step_before(index, start) for index, start in places] if connected else None
        return SequenceSet(f"{self.name}, in pieces of {steps} steps", parts, self.scaling, before)

    def _at(self, chosen: Sequence[int]) -> tuple[list[Rows], list[Rows | None] | None]:
        """Return some sequences, and the step before each if such steps are known."""
        before = None if self._before is None else [self._before[index] for index in chosen]
        return [self._kept[index] for index in chosen], before

    def _step_before(self, index: int, start: int) -> Rows | None:
        if start:
            return rows_of(self._kept[index], start - 1, start)
        return None if self._before is None else self._before[index]


class _Loading(Sequence[NDArray[Any]]):
    """Arrays, of which those in files are mapped when they are asked for."""

    def __init__(self, kept: Sequence[Rows]) -> None:
        self._kept = kept

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, index: int) -> NDArray[Any]: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[NDArray[Any]]: ...

    def __getitem__(self, index: int | slice) -> NDArray[Any] | Sequence[NDArray[Any]]:
        if isinstance(index, slice):
            return _Loading(self._kept[index])
        return loaded(self._kept[index])
