"""Fitting an objective to frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inference.execution import Execution, captures
from inference.frame_task import FrameTask
from inference.holding import hold_frames
from inference.objective import NEMObjective
from inference.processes import ALONE, Processes
from inference.run_directory import RunDirectory
from inference.run_training import Run, check_arguments, run_training
from inference.source_check import check_source
from inference.training_config import TrainingConfig
from pyro_nem.data import FrameSource, Noise

__all__ = ["fit_objective"]


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
) -> Run[NEMObjective]:
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
    KeyboardInterrupt
        After Ctrl-C or SIGTERM without a directory; the objective keeps the weights so far.
    """
    check_arguments(config, directory, validated=validation is not None, resume=resume)
    execution = Execution() if execution is None else execution
    for source in (training, validation):
        if source is not None:
            check_source(objective, source, steps)
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
    return run_training(
        task,
        objective,
        config,
        directory=directory,
        description=description,
        resume=resume,
        validated=validation is not None,
        report=report,
        processes=processes,
        capture=report if captures(execution, objective, processes, report) else None,
    )
