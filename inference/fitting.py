"""Fitting an objective to frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from inference.checkpointers import FileCheckpointer, MemoryCheckpointer
from inference.execution import Execution, captures
from inference.frame_task import FrameTask, check_source
from inference.holding import hold_frames
from inference.interruption import Interruption
from inference.objective import NEMObjective
from inference.processes import ALONE, Processes
from inference.progress import ProgressPrinter
from inference.resuming import load_best, load_state
from inference.run_directory import RunDirectory
from inference.training import Checkpointer, train
from inference.training_config import TrainingConfig
from pyro_nem.data import FrameSource, Noise
from pyro_nem.errors import ConfigError

__all__ = ["Run", "fit_objective"]


class Run(NamedTuple):
    """A finished or interrupted training.

    Attributes
    ----------
    objective
        Model, guide and loss, holding the weights of the lowest validation loss (the last ones
        where there was no validation data).
    records
        The lines of progress, in order; see :func:`inference.training.train`.
    reason
        "finished", "early" (patience ran out) or "interrupted" (Ctrl-C or SIGTERM).
    updates
        Number of updates done.
    seconds
        Time spent in training and validation, earlier sessions included.
    directory
        The folder that holds metrics and checkpoints, or None.
    """

    objective: NEMObjective
    records: list[dict[str, float | int]]
    reason: Literal["finished", "early", "interrupted"]
    updates: int
    seconds: float
    directory: Path | None


def fit_objective(
    objective: NEMObjective,
    training: FrameSource,
    validation: FrameSource | None,
    *,
    steps: int,
    noise: Noise,
    config: TrainingConfig,
    directory: RunDirectory | None,
    description: Mapping[str, Any],
    resume: bool,
    report: Callable[[str], None] = print,
    processes: Processes = ALONE,
    execution: Execution | None = None,
) -> Run:
    """Train an objective on frame sources.

    Everything that can be known before is checked before the first file is written.

    Parameters
    ----------
    objective
        Model, guide and loss; trained in place.
    training, validation
        The frames; without ``validation`` the last weights are kept.
    steps, noise, config
        T, the noise on the guide's inputs, and the training loop's settings.
    directory
        Folder for metrics and checkpoints; nothing is written if None.
    description
        The content of the folder's ``config.json``.
    resume
        Continue from the last checkpoint in ``directory``.
    report
        Takes each line of progress.
    processes
        Those that train together. The one that writes decides the initial weights and reports; all
        return the same run, their own time apart.
    execution
        Whether updates are captured and the frames resident; neither if not given. For precision
        and compilation see :func:`inference.prepare`.

    Raises
    ------
    CheckpointError
        If the folder holds another run, or the checkpoint to resume is corrupt or another's.
    ConfigError
        If the data do not fit the model, or the arguments each other.
    DataError
        If the data hold values that no pixel can have.
    NumericalError
        If the loss becomes NaN or infinite; the last checkpoint is kept.
    ProcessError
        If another process has died or cannot be reached; the last checkpoint is kept.
    """
    if resume and directory is None:
        raise ConfigError("resume: expected the directory of the run to continue, got none")
    execution = Execution() if execution is None else execution
    for source in (training, validation):
        if source is not None:
            check_source(objective, source, steps)
    if validation is None and config.patience is not None:
        raise ConfigError("patience: early stopping needs validation data, got none")
    device = next(objective.parameters()).device
    resident = hold_frames(training, steps, device, report) if execution.resident else None
    task = FrameTask(
        training,
        validation,
        steps,
        noise,
        config,
        processes,
        settled=objective.bound.kl_warmup,
        resident=resident,
    )
    state = None
    if directory is not None and resume:
        state = load_state(objective, directory, processes)
    elif directory is not None:
        # Impossible pixels and too small a file show here, before the folder is made.
        next(task.batches(0))
        processes.once(lambda: directory.create(description))
    processes.align(objective)
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
            objective,
            config,
            log=log,
            checkpointer=checkpointer,
            resume=state,
            # A signal reaches the processes at different updates; all stop after the same one.
            should_stop=lambda: processes.any(interruption.requested()),
            processes=processes,
            capture=report if captures(execution, objective, processes, report) else None,
        )
    objective.load_state_dict(outcome.module.state_dict())
    if validation is not None and directory is not None:
        load_best(objective, directory, processes)
    elif validation is not None and memory.best is not None:
        objective.load_state_dict(memory.best)
    path = None if directory is None else directory.path
    return Run(objective, records, outcome.reason, outcome.update, outcome.seconds, path)
