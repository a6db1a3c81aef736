"""Which sequences an update of a training sees, and how much of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pyro_nem.checks import at_least
from pyro_nem.data.order import epoch_order
from pyro_nem.errors import ConfigError

__all__ = ["SequenceSchedule"]


@dataclass(frozen=True)
class SequenceSchedule:
    """What an update sees of the training sequences; as it stands, all of each, epoch by epoch.

    Everything is a function of seed and update, so that a resumed run sees what an uninterrupted
    one does.

    Raises
    ------
    ConfigError
        If a number is out of range.
    """

    replay: float = 0.0
    """Share of a batch that comes from a replay buffer instead of the epoch, in [0, 1)."""

    memory: int = 50
    """Updates whose new sequences the buffer holds, the last ones."""

    curriculum: int = 0
    """Updates over which sequences are cut to a length that grows by equal steps, up to the longest
    sequence's (after Incremental Sequence Learning, arXiv 1611.03068); 0 for whole ones at once."""

    shortest: int = 2
    """Steps that the first update sees of a sequence, with a curriculum."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.replay < 1.0:
            raise ConfigError(f"replay: expected a share in [0, 1), got {self.replay}")
        at_least(1, memory=self.memory, shortest=self.shortest)
        at_least(0, curriculum=self.curriculum)

    def length(self, update: int, longest: int) -> int:
        """Return how many steps update ``update``, counted from 0, sees of a sequence.

        Parameters
        ----------
        update
            Its number.
        longest
            Steps of the longest sequence.
        """
        if update >= self.curriculum or longest <= self.shortest:
            return longest
        return self.shortest + (longest - self.shortest) * update // self.curriculum

    def new_sequences(self, batch_size: int) -> int:
        """Return how many sequences of a batch come from the epoch.

        Raises
        ------
        ConfigError
            If there are none, or a replay buffer is asked for and nothing comes from it.
        """
        new = batch_size - round(self.replay * batch_size)
        if self.replay and new == batch_size:
            raise ConfigError(
                f"replay: a share of {self.replay:g} of a batch of {batch_size} is less than half "
                "a sequence; choose a larger share or batch, or 0"
            )
        if new < 1:
            raise ConfigError(
                f"replay: a share of {self.replay:g} leaves no new sequence in a batch of "
                f"{batch_size}; choose a smaller share or a larger batch"
            )
        return new

    def batches(
        self, num_sequences: int, *, batch_size: int, seed: int, start: int = 0
    ) -> Iterator[list[int]]:
        """Yield the sequences of updates ``start``, ``start + 1``, ... without end.

        Parameters
        ----------
        num_sequences
            N of the training set. An epoch's last incomplete batch is dropped.
        batch_size
            B. New sequences come first, then those of the buffer.
        seed
            Fixes the order; see :func:`pyro_nem.data.order.epoch_order`.
        start
            Number of the first update, counted from 0.

        Raises
        ------
        ConfigError
            If there are fewer sequences than new ones in a batch; see :meth:`new_sequences`.
        """
        new = self.new_sequences(batch_size)
        first = max(0, start - self.memory) if new < batch_size else start
        held: deque[list[int]] = deque(maxlen=self.memory)
        for update, chosen in enumerate(_epochs(num_sequences, new, seed, first), first):
            if update >= start:
                yield chosen + self._replayed(held or [chosen], batch_size - new, seed, update)
            held.append(chosen)

    @staticmethod
    def _replayed(
        held: deque[list[int]] | list[list[int]], count: int, seed: int, update: int
    ) -> list[int]:
        """Return sequences of the buffer, drawn with replacement."""
        if not count:
            return []
        pool = np.concatenate(list(held))
        # Three numbers, where the order of an epoch is seeded by two.
        drawn: list[int] = np.random.default_rng((seed, update, 1)).choice(pool, count).tolist()
        return drawn


def _epochs(num_sequences: int, batch_size: int, seed: int, start: int) -> Iterator[list[int]]:
    # Too few sequences are refused by the order.
    epoch, skip = divmod(start, max(1, num_sequences // batch_size))
    while True:
        order = epoch_order(num_sequences, batch_size=batch_size, seed=seed, epoch=epoch)
        yield from order[skip:].tolist()
        epoch, skip = epoch + 1, 0
