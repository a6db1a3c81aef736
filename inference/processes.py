"""Several processes that work on one training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import torch
from torch import Tensor, distributed, nn

from inference.task import Metrics
from pyro_nem.data import Share
from pyro_nem.errors import ProcessError, PyroNemError

__all__ = ["ALONE", "Processes"]

ValueT = TypeVar("ValueT")


@dataclass(frozen=True)
class Processes:
    """The processes of a training, as one of them sees them.

    Each trains on its share of every batch, scores its share of the held-out batches and holds the
    same weights; one writes. A single process has everything, and nothing is communicated. All
    processes have to call the methods in the same order.

    Whatever a method waits for, a process that has died is noticed at once, and one that cannot be
    reached after half an hour.

    Raises
    ------
    ProcessError
        By every method, if another process has died or cannot be reached.
    """

    rank: int = 0
    """Which process this is, counted from 0."""

    count: int = 1
    """How many there are."""

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes files and shows progress."""
        return self.rank == 0

    @property
    def share(self) -> Share:
        """The part of the data that this process reads."""
        return Share(self.rank, self.count)

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in any process.

        Goes through the hosts, so that a GPU is not waited for.
        """
        if self.count == 1:
            return flag
        found = torch.tensor(int(flag))
        with self._connected():
            distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return bool(found.item())

    def wait(self) -> None:
        """Return when every process has come here."""
        self.any(False)

    def average_(self, values: Tensor) -> None:
        """Replace values by their means over the processes, without waiting for a GPU."""
        if self.count == 1:
            return
        with self._connected():
            distributed.all_reduce(values)
        values.div_(self.count)

    def mean(self, metrics: Mapping[str, float]) -> Metrics:
        """Return the mean of each metric over the processes where it is a number, else NaN."""
        if self.count == 1:
            return dict(metrics)
        means = {}
        found = self._gather(dict(metrics))
        for name in metrics:
            known = [part[name] for part in found if not math.isnan(part[name])]
            means[name] = sum(known) / len(known) if known else math.nan
        return means

    def in_turn(self, parts: list[ValueT]) -> list[ValueT]:
        """Return the parts of all processes, in the order in which they were dealt out in turns."""
        if self.count == 1:
            return parts
        found = self._gather(parts)
        turns = range(max(map(len, found)))
        return [part[turn] for turn in turns for part in found if turn < len(part)]

    def once(self, action: Callable[[], ValueT]) -> ValueT:
        """Act in the process that writes; all return the result, or raise its error."""
        if self.count == 1:
            return action()
        outcome: list[Any] = [None, None]
        if self.writes:
            try:
                outcome[0] = action()
            except PyroNemError as error:
                outcome[1] = error
        with self._connected():
            distributed.broadcast_object_list(outcome, src=0)
        result: ValueT = outcome[0]
        if outcome[1] is not None:
            raise outcome[1]
        return result

    def one_then_all(self, action: Callable[[], ValueT]) -> ValueT:
        """Act in the process that writes, then in the others; each returns its own result.

        For what the first one prepares and each then opens, as a file that is downloaded once. An
        error of the first one is raised by all.
        """
        own: list[ValueT] = []
        self.once(lambda: own.append(action()))
        return own[0] if own else action()

    def align(self, module: nn.Module) -> None:
        """Give all processes the weights of the one that writes."""
        if self.count == 1:
            return
        with self._connected():
            for value in module.state_dict().values():
                distributed.broadcast(value, src=0)

    def _gather(self, value: ValueT) -> list[ValueT]:
        found: list[Any] = [None] * self.count
        with self._connected():
            distributed.all_gather_object(found, value)
        return found

    @contextmanager
    def _connected(self) -> Iterator[None]:
        try:
            yield
        # What Gloo raises when a connection closes or times out, and the root of NCCL's errors.
        except RuntimeError as error:
            reason = str(error).strip().split("\n")[0].split(". ")[0]
            raise ProcessError(
                f"lost another one of {self.count} processes, which failed, was killed or cannot "
                f"be reached ({reason})"
            ) from error


ALONE: Final = Processes()
"""A single process."""
