"""Fitting a model of images and its guide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inference.images.levels import check_bits, check_law_of_bits
from inference.images.objective import ImageObjective
from inference.images.task import ImageTask
from inference.processes import ALONE, Processes
from inference.resuming import check_same_settings
from inference.run_directory import RunDirectory
from inference.run_training import (
    Run,
    check_arguments,
    run_training,
    tell_how_to_go_on,
)
from inference.training_config import TrainingConfig
from pyro_nem.data import ImageSet

__all__ = ["ImageRun", "fit_images"]

ImageRun = Run[ImageObjective]
"""A finished or interrupted training."""


def fit_images(
    objective: ImageObjective,
    training: ImageSet,
    validation: ImageSet | None = None,
    *,
    config: TrainingConfig | None = None,
    directory: Path | str | None = None,
    description: Mapping[str, Any] | None = None,
    resume: bool = False,
    report: Callable[[str], None] = print,
    processes: Processes = ALONE,
) -> ImageRun:
    """Train an objective on images.

    Ctrl-C and SIGTERM end the present update first. With a ``directory`` the run is then saved and
    returned, its ``reason`` being "interrupted".

    Parameters
    ----------
    objective
        Model, guide and bound; trained in place, on the device where they are. The model's output
        law is one of bits.
    training, validation
        The images; grey levels of ``training`` are probabilities of bits, see
        :func:`pyro_nem.data.bit_batches`, and ``validation`` has bits. Without it the last weights
        are kept.
    config
        Updates, optimiser and schedule.
    directory
        Folder for metrics and checkpoints; nothing is written if not given.
    description
        The content of the folder's ``config.json`` from a caller who keeps settings of its own, and
        compares them when a run is resumed. If not given: bound and training, which have to be the
        same to resume.
    resume, report, processes
        See :func:`inference.run_training.run_training`.

    Raises
    ------
    CheckpointError
        If the folder holds another run, or the checkpoint to resume is corrupt or another's.
    ConfigError
        If the data do not fit the model, the model has no law of bits, or the arguments do not fit
        each other.
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
    check_law_of_bits(objective.model)
    objective.model.check(training)
    if validation is not None:
        check_bits(objective.model, validation)
    described = description is not None
    if description is None:
        settings = {
            "bound": asdict(objective.bound),
            "training": asdict(config),
        }
        if resume and run_directory is not None:
            check_same_settings(run_directory, settings, processes)
        description = {"settings": settings}
    task = ImageTask(training, validation, config, processes)
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
