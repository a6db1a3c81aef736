"""What the training loop trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from torch import Generator, Tensor, nn

__all__ = ["BatchT", "Metrics", "Task"]

BatchT = TypeVar("BatchT")
Metrics = dict[str, float]


class Task(Protocol[BatchT]):
    """What the loop is to train."""

    @property
    def settled(self) -> int:
        """The update from which on the loss is the same function of weights and batch."""
        ...

    def batches(self, start: int) -> Iterator[BatchT]:
        """Yield the batches of updates ``start``, ``start + 1``, ... without end."""
        ...

    def loss(
        self, module: nn.Module, batch: BatchT, generator: Generator, update: int
    ) -> tuple[Tensor, Callable[[], Metrics]]:
        """Return the scalar loss, and a function that measures what a log line shows.

        ``update`` counts from 0, for what changes during a training.
        """
        ...

    def validate(self, module: nn.Module) -> Metrics:
        """Return metrics on held-out data, of which "loss" decides what is best.

        Without held-out data there are none, and the latest weights count as the best.
        """
        ...
