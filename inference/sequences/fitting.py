"""Fitting a sequence model and its guide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inference.processes import ALONE, Processes
from inference.resuming import check_same_settings
from inference.run_directory import RunDirectory
from inference.run_training import (
    Run,
    check_arguments,
    run_training,
    tell_how_to_go_on,
)
from inference.sequences.normalised_mean import NormalisedMean
from inference.sequences.objective import SequenceObjective
from inference.sequences.task import SequenceTask
from inference.training_config import TrainingConfig
from pyro_nem.data import SequenceSchedule, SequenceSet
from pyro_nem.errors import ConfigError

__all__ = ["SequenceRun", "fit_sequences"]

SequenceRun = Run[SequenceObjective]
"""A finished or interrupted training."""


def fit_sequences(
    objective: SequenceObjective,
    training: SequenceSet,
    validation: SequenceSet | None = None,
    *,
    config: TrainingConfig | None = None,
    schedule: SequenceSchedule | None = None,
    directory: Path | str | None = None,
    description: Mapping[str, Any] | None = None,
    resume: bool = False,
    report: Callable[[str], None] = print,
    processes: Processes = ALONE,
) -> SequenceRun:
    """Train an objective on sequences.

    Ctrl-C and SIGTERM end the present update first. With a ``directory`` the run is then saved and
    returned, its ``reason`` being "interrupted".

    Parameters
    ----------
    objective
        Model, guide and bound; trained in place, on the device where they are.
    training, validation
        The sequences; without ``validation`` the last weights are kept.
    config
        Updates, optimiser and its learning rates.
    schedule
        A replay buffer or a curriculum; every update sees new whole sequences if not given.
    directory
        Folder for metrics and checkpoints; nothing is written if not given.
    description
        The content of the folder's ``config.json`` from a caller who keeps settings of its own, and
        compares them when a run is resumed. If not given: bound, training and schedule, which have
        to be the same to resume.
    resume, report, processes
        See :func:`inference.run_training.run_training`.

    Raises
    ------
    CheckpointError
        If the folder holds another run, or the checkpoint to resume is corrupt or another's.
    ConfigError
        If the data do not fit the model, or the arguments each other.
    DataError
        If the data hold what the output law has no density for.
    NumericalError
        If the loss becomes NaN or infinite; the last checkpoint is kept.
    ProcessError
        If another process has died or cannot be reached; the last checkpoint is kept.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM without a ``directory``; the model keeps the weights so far.
    """
    config = TrainingConfig() if config is None else config
    run_directory = None if directory is None else RunDirectory(Path(directory))
    check_arguments(config, run_directory, validated=validation is not None, resume=resume)
    for source in (training, validation):
        if source is not None:
            objective.model.check(source)
    if processes.count > 1 and any(isinstance(m, NormalisedMean) for m in objective.modules()):
        raise ConfigError(
            f"batch_norm: its averages would differ in {processes.count} processes; train in one, "
            "or without it"
        )
    schedule = SequenceSchedule() if schedule is None else schedule
    described = description is not None
    if description is None:
        settings = {
            "bound": asdict(objective.bound),
            "training": asdict(config),
            "schedule": asdict(schedule),
        }
        if resume and run_directory is not None:
            check_same_settings(run_directory, settings, processes)
        description = {"settings": settings}
    task = SequenceTask(
        training, validation, config, processes, objective.bound.kl_warmup, schedule
    )
    run = run_training(
        task,
        objective,
        config,
        directory=run_directory,
        description=description,
        resume=resume,
        validated=validation is not None,
        report=report,
        processes=processes,
    )
    if not described:
        # Who keeps settings of its own has a way of its own to go on.
        tell_how_to_go_on(run, config, report, processes)
    return run
