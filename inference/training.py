"""A training loop that knows nothing of mixtures.

Everything random in an update is a pure function of (seed, update), so that a resumed run needs
no saved random state to give the numbers of an uninterrupted one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, NamedTuple, Protocol

from torch import nn

from inference.captured import CapturedUpdate
from inference.processes import ALONE, Processes
from inference.task import BatchT, Metrics, Task
from inference.training_config import TrainingConfig
from inference.update import Update
from pyro_nem.errors import NumericalError

__all__ = ["Checkpointer", "Outcome", "train"]


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


def train(
    task: Task[BatchT],
    module: nn.Module,
    config: TrainingConfig,
    *,
    log: Callable[[Mapping[str, float | int]], None],
    checkpointer: Checkpointer,
    resume: Mapping[str, Any] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    processes: Processes = ALONE,
    capture: Callable[[str], None] | None = None,
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
        Asked after each update; True saves and returns. Several processes have to agree.
    processes
        Those that train together. Each has its own share of the batches and calls ``log`` and
        ``checkpointer``.
    capture
        Replay updates as a CUDA graph; takes a line if that proves to be impossible. One process
        only.

    Raises
    ------
    NumericalError
        If the loss or the gradient becomes NaN or infinite; the last checkpoint is kept. On a GPU
        this shows at the next record or checkpoint, and the weights stay as they were meanwhile.
    """
    loop = _Loop(task, module, config, resume, processes, capture)
    batches = task.batches(loop.update)
    if resume is None:
        checkpointer.save(loop.state(), best=False)
    reason: Literal["finished", "early", "interrupted"] = "finished"
    while loop.update < config.updates:
        if loop.out_of_patience():
            reason = "early"
            break
        measure = loop.advance(next(batches))
        logs = loop.update % config.log_every == 0
        validates = loop.update % config.validate_every == 0 or loop.update == config.updates
        if logs or validates:
            record: dict[str, float | int] = {
                "update": loop.update,
                "seconds": loop.seconds(),
                "learning_rate": config.learning_rate_at(loop.update - 1),
                "train.loss": loop.step.mean_loss(),
                **{f"train.{name}": value for name, value in measure().items()},
            }
            if validates:
                metrics = task.validate(loop.step.averaged())
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
    return Outcome(loop.step.averaged(), loop.update, reason, loop.seconds())


class _Loop(Generic[BatchT]):
    """The loop's mutable state: what an update changes, and what has been seen."""

    def __init__(
        self,
        task: Task[BatchT],
        module: nn.Module,
        config: TrainingConfig,
        resume: Mapping[str, Any] | None,
        processes: Processes,
        capture: Callable[[str], None] | None,
    ) -> None:
        self.config = config
        deferred = next(module.parameters()).device.type != "cpu"
        self.step = (
            Update(task, module, config, deferred=deferred, processes=processes)
            if capture is None
            else CapturedUpdate(task, module, config, report=capture)
        )
        self.update = 0
        self.started = time.perf_counter()
        self.earlier_seconds = 0.0
        self.best = math.inf
        self.waited = 0
        if resume is not None:
            self.step.load(resume)
            self.update = resume["update"]
            self.earlier_seconds = resume["seconds"]
            self.best = resume["best"]
            self.waited = resume["waited"]

    def state(self) -> dict[str, Any]:
        return {
            **self.step.state(),
            "update": self.update,
            "seconds": self.seconds(),
            "best": self.best,
            "waited": self.waited,
        }

    def seconds(self) -> float:
        return self.earlier_seconds + time.perf_counter() - self.started

    def advance(self, batch: BatchT) -> Callable[[], Metrics]:
        measure = self.step(batch, self.update)
        self.update += 1
        return measure

    def note_validation(self, loss: float | None) -> bool:
        if loss is None:
            return True
        if not math.isfinite(loss):
            raise NumericalError(
                f"the validation loss became {loss} at update {self.update}; the last checkpoint "
                "is kept. Lower the learning rate or clip the gradient (clip_norm, --clip-norm)."
            )
        if loss < self.best:
            self.best, self.waited = loss, 0
            return True
        self.waited += 1
        return False

    def out_of_patience(self) -> bool:
        return self.config.patience is not None and self.waited >= self.config.patience
