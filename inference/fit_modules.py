"""Fitting a model and a guide to frames, from Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from torch import Tensor, nn

from inference.bound_config import BoundConfig
from inference.execution import Execution, prepare
from inference.fitting import fit_objective
from inference.joining import joined
from inference.objective import NEMObjective
from inference.resuming import check_same_settings
from inference.run_directory import RunDirectory
from inference.run_training import Run, tell_how_to_go_on
from inference.scored_frames import default_noise, default_steps
from inference.step_weights import StepWeights
from inference.training_config import TrainingConfig
from models import SpatialMixture
from pyro_nem.data import FrameSource, Noise, as_source

__all__ = ["fit"]


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
    execution: Execution | None = None,
) -> Run[NEMObjective]:
    """Train a model and its guide on videos or images.

    In a script that torchrun started in several processes, all of them train the same weights, each
    on its share of every batch. The first one writes and reports.

    Ctrl-C and SIGTERM end the present update first. With a ``directory`` the run is then saved and
    returned, its ``reason`` being "interrupted".

    Parameters
    ----------
    model, guide
        The Pyro program and a guide for it; trained in place, on the device where they are.
    data
        Frames to train on: a source, or an array [T, N, rows, columns, C] in [0, 1]; of 0 and 1
        where pixels are Bernoulli.
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
    execution
        Precision, compilation, and whether updates are captured; :meth:`Execution.usual` of the
        modules' device if not given.

    Raises
    ------
    CheckpointError, ConfigError, DataError, NumericalError, ProcessError
        See :func:`fit_objective`.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM without a ``directory``; the model keeps the weights so far.
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
    device = next(objective.parameters()).device
    execution = Execution.usual(device) if execution is None else execution
    prepare(objective, execution)
    with joined(device) as processes:
        if resume and run_directory is not None:
            check_same_settings(run_directory, settings, processes)
        run = fit_objective(
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
            execution=execution,
        )
        tell_how_to_go_on(run, config, report, processes)
    return run
