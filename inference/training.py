"""A training loop that knows nothing of mixtures.

Everything random in an update is a pure function of (seed, update), so that a resumed run needs
no saved random state to give the numbers of an uninterrupted one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import numpy as np
import pyro
import torch
from torch import Generator, Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from inference.training_config import TrainingConfig
from pyro_nem.errors import NumericalError

__all__ = ["Checkpointer", "Metrics", "Outcome", "Task", "train", "update_seed"]

BatchT = TypeVar("BatchT")
Metrics = dict[str, float]


class Task(Protocol[BatchT]):
    """What the loop is to train."""

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


class Checkpointer(Protocol):
    """Where the loop leaves its state; see :class:`inference.checkpointers.FileCheckpointer`."""

    def save(self, state: Mapping[str, Any], *, best: bool) -> None:
        """Keep the state; ``best`` says that its validation loss is the lowest so far."""
        ...


class Outcome(NamedTuple):
    """How a training ended.

    Attributes
    ----------
    module
        The module as it is at the end, weights averaged if the config says so.
    update
        Number of updates done.
    reason
        "finished", "early" (patience ran out) or "interrupted".
    seconds
        Time spent in the loop, earlier sessions included.
    """

    module: nn.Module
    update: int
    reason: Literal["finished", "early", "interrupted"]
    seconds: float


def update_seed(seed: int, stream: int, index: int) -> int:
    """Return a seed for one use of randomness, independent of every other (stream, index)."""
    return int(np.random.SeedSequence((seed, stream, index)).generate_state(1, np.uint64)[0] >> 1)


def train(
    task: Task[BatchT],
    module: nn.Module,
    config: TrainingConfig,
    *,
    log: Callable[[Mapping[str, float | int]], None],
    checkpointer: Checkpointer,
    resume: Mapping[str, Any] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Minimise the task's loss.

    Parameters
    ----------
    task
        Batches, loss and validation.
    module
        Holds every parameter; trained in place.
    config
        Updates, optimiser, schedule, validation.
    log
        Takes each record: "update", "seconds" (spent in the loop, earlier sessions included),
        "learning_rate", "train.*" and, after a validation, "validation.*".
    checkpointer
        Takes the state at the start, at each validation and when stopped.
    resume
        A state that an earlier loop gave to its checkpointer.
    should_stop
        Asked after each update; True saves and returns.

    Raises
    ------
    NumericalError
        If the loss or the gradient becomes NaN or infinite; the last checkpoint is kept.
    """
    loop = _Loop(module, config, resume)
    batches = task.batches(loop.update)
    if resume is None:
        checkpointer.save(loop.state(), best=False)
    device = next(module.parameters()).device
    first = loop.update
    reason: Literal["finished", "early", "interrupted"] = "finished"
    while loop.update < config.updates:
        if loop.out_of_patience():
            reason = "early"
            break
        generator = torch.Generator(device).manual_seed(update_seed(config.seed, 0, loop.update))
        # Pyro checks shapes, supports and parameters in the first update; later ones are alike.
        with pyro.validation_enabled(loop.update == first):
            loss, measure = task.loss(module, next(batches), generator, loop.update)
        loop.descend(loss)
        logs = loop.update % config.log_every == 0
        validates = loop.update % config.validate_every == 0 or loop.update == config.updates
        if logs or validates:
            record: dict[str, float | int] = {
                "update": loop.update,
                "seconds": loop.seconds(),
                "learning_rate": config.learning_rate_at(loop.update - 1),
                "train.loss": loop.mean_loss(),
                **{f"train.{name}": value for name, value in measure().items()},
            }
            if validates:
                metrics = task.validate(loop.evaluated())
                record.update({f"validation.{name}": value for name, value in metrics.items()})
                best = loop.note_validation(metrics.get("loss"))
            log(record)
            if validates:
                checkpointer.save(loop.state(), best=best)
        if should_stop():
            if not validates:
                checkpointer.save(loop.state(), best=False)
            reason = "interrupted"
            break
    return Outcome(loop.evaluated(), loop.update, reason, loop.seconds())


class _Loop:
    """The loop's mutable state: weights, optimiser, average, and what has been seen."""

    def __init__(
        self, module: nn.Module, config: TrainingConfig, resume: Mapping[str, Any] | None
    ) -> None:
        self.module = module
        self.config = config
        self.optimizer = torch.optim.Adam(module.parameters(), lr=config.learning_rate)
        self.average = (
            None
            if config.averaging is None
            else AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(config.averaging))
        )
        self.update = 0
        self.started = time.perf_counter()
        self.earlier_seconds = 0.0
        self.best = math.inf
        self.waited = 0
        device = next(module.parameters()).device
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        self.loss_count = 0
        if resume is not None:
            module.load_state_dict(resume["module"])
            self.optimizer.load_state_dict(resume["optimizer"])
            if self.average is not None:
                self.average.load_state_dict(resume["average"])
            self.update = resume["update"]
            self.earlier_seconds = resume["seconds"]
            self.best = resume["best"]
            self.waited = resume["waited"]
            self.loss_sum = resume["loss_sum"].to(device)
            self.loss_count = resume["loss_count"]

    def state(self) -> dict[str, Any]:
        return {
            "update": self.update,
            "seconds": self.seconds(),
            "module": self.module.state_dict(),
            "evaluated": self.evaluated().state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "best": self.best,
            "waited": self.waited,
            "loss_sum": self.loss_sum,
            "loss_count": self.loss_count,
        }

    def seconds(self) -> float:
        return self.earlier_seconds + time.perf_counter() - self.started

    def evaluated(self) -> nn.Module:
        if self.average is None or self.update == 0:
            return self.module
        averaged: nn.Module = self.average.module
        return averaged

    def descend(self, loss: Tensor) -> None:
        if not torch.isfinite(loss):
            raise NumericalError(
                f"the loss became {loss.item()} at update {self.update + 1}; the last checkpoint "
                "is kept. Lower the learning rate or clip the gradient (--clip-norm)."
            )
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate_at(self.update)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        limit = math.inf if self.config.clip_norm is None else self.config.clip_norm
        norm = nn.utils.clip_grad_norm_(self.module.parameters(), limit)
        if not torch.isfinite(norm):
            raise NumericalError(
                f"the gradient became {norm.item()} at update {self.update + 1}; the last "
                "checkpoint is kept. Lower the learning rate."
            )
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.module)
        self.update += 1
        self.loss_sum += loss.detach()
        self.loss_count += 1

    def mean_loss(self) -> float:
        mean = self.loss_sum.item() / self.loss_count
        self.loss_sum = torch.zeros_like(self.loss_sum)
        self.loss_count = 0
        return mean

    def note_validation(self, loss: float | None) -> bool:
        if loss is None:
            return True
        if not math.isfinite(loss):
            raise NumericalError(
                f"the validation loss became {loss} at update {self.update}; the last checkpoint "
                "is kept. Lower the learning rate or clip the gradient (--clip-norm)."
            )
        if loss < self.best:
            self.best, self.waited = loss, 0
            return True
        self.waited += 1
        return False

    def out_of_patience(self) -> bool:
        return self.config.patience is not None and self.waited >= self.config.patience
