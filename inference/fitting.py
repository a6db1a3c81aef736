"""Fitting a model and a guide to frames, from Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, NamedTuple

from numpy.typing import NDArray
from torch import Tensor, nn

from inference.bound_config import BoundConfig
from inference.checkpointers import FileCheckpointer, MemoryCheckpointer
from inference.evaluation import default_noise, default_steps
from inference.frame_task import FrameTask, check_source
from inference.interruption import Interruption
from inference.joining import joined
from inference.objective import NEMObjective
from inference.processes import ALONE, Processes
from inference.progress import ProgressPrinter
from inference.resuming import check_same_settings, load_best, load_state
from inference.run_directory import RunDirectory
from inference.step_weights import StepWeights
from inference.training import Checkpointer, train
from inference.training_config import TrainingConfig
from models import SpatialMixture
from pyro_nem.data import FrameSource, Noise, as_source
from pyro_nem.errors import ConfigError

__all__ = ["Run", "fit", "fit_objective"]


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


def fit(
    model: SpatialMixture,
    guide: nn.Module,
    data: FrameSource | NDArray[Any] | Tensor,
    *,
    validation: FrameSource | NDArray[Any] | Tensor | None = None,
    steps: int | None = None,
    noise: Noise | None = None,
    inter_weight: float = 1.0,
    step_weights: StepWeights = "all",
    bound: BoundConfig | None = None,
    config: TrainingConfig | None = None,
    directory: Path | str | None = None,
    resume: bool = False,
    report: Callable[[str], None] = print,
) -> Run:
    """Train a model and its guide on videos or images.

    In a script that torchrun started in several processes, all of them train the same weights, each
    on its share of every batch. The first one writes and reports.

    Parameters
    ----------
    model, guide
        The Pyro program and a guide for it; trained in place, on the device where they are.
    data
        Frames to train on: a source, or an array [T, N, rows, columns, C] in [0, 1].
    validation
        Held-out frames that decide which weights are kept; none keeps the last.
    steps
        T, the steps of the recurrence; T + 1 frames are needed. All of them if not given; has to
        be given for static images, which are repeated.
    noise
        Noise on the guide's inputs; if not given, on a fifth of the pixels: bit flips where pixels
        are Bernoulli, uniform values where they are not.
    inter_weight, step_weights
        See :class:`inference.NEMObjective`.
    bound
        Which bound is trained; the ELBO with one particle if not given.
    config
        Updates, optimiser and schedule.
    directory
        Folder for metrics and checkpoints; nothing is written if not given.
    resume
        Continue from the last checkpoint in ``directory``.
    report
        Takes each line of progress.

    Raises
    ------
    CheckpointError, ConfigError, DataError, NumericalError, ProcessError
        See :func:`fit_objective`.
    """
    source = as_source(data, "data")
    held_out = None if validation is None else as_source(validation, "validation")
    steps = default_steps(source) if steps is None else steps
    noise = default_noise(model) if noise is None else noise
    config = TrainingConfig() if config is None else config
    bound = BoundConfig() if bound is None else bound
    settings = {
        "steps": steps,
        "noise": asdict(noise),
        "inter_weight": inter_weight,
        "step_weights": step_weights,
        "bound": asdict(bound),
        "training": asdict(config),
    }
    run_directory = None if directory is None else RunDirectory(Path(directory))
    objective = NEMObjective(
        model, guide, inter_weight=inter_weight, step_weights=step_weights, bound=bound
    )
    with joined(next(objective.parameters()).device) as processes:
        if resume and run_directory is not None:
            check_same_settings(run_directory, settings, processes)
        return fit_objective(
            objective,
            source,
            held_out,
            steps=steps,
            noise=noise,
            config=config,
            directory=run_directory,
            description={"settings": settings},
            resume=resume,
            report=report,
            processes=processes,
        )


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
    for source in (training, validation):
        if source is not None:
            check_source(objective, source, steps)
    if validation is None and config.patience is not None:
        raise ConfigError("patience: early stopping needs validation data, got none")
    task = FrameTask(training, validation, steps, noise, config, processes)
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
        )
    objective.load_state_dict(outcome.module.state_dict())
    if validation is not None and directory is not None:
        load_best(objective, directory, processes)
    elif validation is not None and memory.best is not None:
        objective.load_state_dict(memory.best)
    path = None if directory is None else directory.path
    return Run(objective, records, outcome.reason, outcome.update, outcome.seconds, path)
