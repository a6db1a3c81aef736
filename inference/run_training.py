"""A training with its folder: metrics, checkpoints, resuming and Ctrl-C, whatever is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from torch import nn

from inference.checkpointers import FileCheckpointer, MemoryCheckpointer
from inference.interruption import Interruption
from inference.processes import ALONE, Processes
from inference.progress import ProgressPrinter
from inference.resuming import load_best, load_state
from inference.run_directory import RunDirectory
from inference.task import BatchT, Task
from inference.training import Checkpointer, train
from inference.training_config import TrainingConfig
from pyro_nem.errors import ConfigError

__all__ = ["Run", "check_arguments", "run_training", "tell_how_to_go_on"]

ModuleT = TypeVar("ModuleT", bound=nn.Module)


class Run(NamedTuple, Generic[ModuleT]):
    """A finished or interrupted training.

    Attributes
    ----------
    objective
        Model, guide and loss, holding the weights of the lowest validation loss (the last ones
        where there was no validation data).
    records
        The lines of progress, in order; see :func:`inference.training.train`.
    reason
        "finished", "early" (patience ran out) or "interrupted" (Ctrl-C or SIGTERM; never without a
        directory, where these raise KeyboardInterrupt).
    updates
        Number of updates done.
    seconds
        Time spent in training and validation, earlier sessions included.
    directory
        The folder that holds metrics and checkpoints, or None.
    """

    objective: ModuleT
    records: list[dict[str, float | int]]
    reason: Literal["finished", "early", "interrupted"]
    updates: int
    seconds: float
    directory: Path | None


def check_arguments(
    config: TrainingConfig, directory: RunDirectory | None, *, validated: bool, resume: bool
) -> None:
    """Check that a training has what it was asked for.

    Raises
    ------
    ConfigError
        If there is no folder to resume, or no validation data to stop by.
    """
    if resume and directory is None:
        raise ConfigError("resume: expected the directory of the run to continue, got none")
    if not validated and config.patience is not None:
        raise ConfigError("patience: early stopping needs validation data, got none")


def run_training(
    task: Task[BatchT],
    module: ModuleT,
    config: TrainingConfig,
    *,
    directory: RunDirectory | None,
    description: Mapping[str, Any],
    resume: bool,
    validated: bool,
    report: Callable[[str], None] = print,
    processes: Processes = ALONE,
    capture: Callable[[str], None] | None = None,
) -> Run[ModuleT]:
    """Train a module in place; at the end it holds the weights of the lowest validation loss.

    Ctrl-C and SIGTERM end the present update first. Then the run is saved and returned if it has a
    folder, and KeyboardInterrupt is raised if it has none; either way the module holds the weights
    that it would have if this had been the end.

    Parameters
    ----------
    task, module, config
        See :func:`inference.train`.
    directory
        Folder for metrics and checkpoints; nothing is written if None.
    description
        The content of the folder's ``config.json``.
    resume
        Continue from the last checkpoint in ``directory``.
    validated
        Whether there is validation data; without, the last weights are kept.
    report
        Takes each line of progress.
    processes
        Those that train together. The one that writes decides the initial weights and reports.
    capture
        See :func:`inference.train`.

    Raises
    ------
    KeyboardInterrupt
        If it was stopped and has no folder to continue from.
    """
    state = None
    if directory is not None and resume:
        state = load_state(module, directory, processes)
    elif directory is not None:
        # Impossible data and too few of them show here, before the folder is made.
        next(task.batches(0))
        processes.once(lambda: directory.create(description))
    processes.align(module)
    records: list[dict[str, float | int]] = []
    memory = MemoryCheckpointer()
    checkpointer: Checkpointer = memory
    if directory is not None:
        records += processes.once(directory.read_metrics)
        checkpointer = FileCheckpointer(directory, processes)
    printer = ProgressPrinter(config.updates, report)

    def log(record: Mapping[str, float | int]) -> None:
        records.append(dict(record))
        if directory is not None:
            processes.once(lambda: directory.append_metrics(record))
        if processes.writes:
            printer(record)

    with Interruption() as interruption:
        outcome = train(
            task,
            module,
            config,
            log=log,
            checkpointer=checkpointer,
            resume=state,
            # A signal reaches the processes at different updates; all stop after the same one.
            should_stop=lambda: processes.any(interruption.requested()),
            processes=processes,
            capture=capture,
        )
    module.load_state_dict(outcome.module.state_dict())
    if validated and directory is not None:
        load_best(module, directory, processes)
    elif validated and memory.best is not None:
        module.load_state_dict(memory.best)
    if directory is None and outcome.reason == "interrupted":
        raise KeyboardInterrupt(
            f"interrupted after {outcome.update:,} of {config.updates:,} updates; the weights so "
            "far are in the model, and with a directory they would be saved to continue from"
        )
    path = None if directory is None else directory.path
    return Run(module, records, outcome.reason, outcome.update, outcome.seconds, path)


def tell_how_to_go_on(
    run: Run[Any], config: TrainingConfig, report: Callable[[str], None], processes: Processes
) -> None:
    """Report an interruption to a caller in Python."""
    if run.reason == "interrupted" and processes.writes:
        report(
            f"interrupted after {run.updates:,} of {config.updates:,} updates; continue with "
            "resume=True"
        )
