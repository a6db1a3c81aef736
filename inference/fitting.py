"""Fitting a model and a guide to frames, from Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from inference.checkpoints import load_checkpoint, load_weights, save_checkpoint
from inference.evaluation import batch_scores, evaluate
from inference.interruption import Interruption
from inference.objective import NEMObjective, StepWeights
from inference.progress import ProgressPrinter
from inference.run_directory import RunDirectory
from inference.training import Metrics, TrainingConfig, train
from models import SpatialMixture
from pyro_nem.data import (
    ArrayFrames,
    FrameBatch,
    FrameSource,
    Noise,
    epoch_batches,
    make_clip,
    num_batches,
)
from pyro_nem.errors import ConfigError

__all__ = ["FileCheckpointer", "Run", "fit", "fit_objective"]


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
    directory
        The folder that holds metrics and checkpoints, or None.
    """

    objective: NEMObjective
    records: list[dict[str, float | int]]
    reason: Literal["finished", "early", "interrupted"]
    updates: int
    directory: Path | None


class FileCheckpointer:
    """Keeps a training's state in ``last.pt`` and its best weights in ``best.pt``."""

    def __init__(self, directory: RunDirectory) -> None:
        self.directory = directory

    def save(self, state: Mapping[str, Any], *, best: bool) -> None:
        """Write the best weights first: a kill in between then only repeats a validation."""
        if best:
            weights = {"update": state["update"], "evaluated": state["evaluated"]}
            save_checkpoint(self.directory.best, weights)
        save_checkpoint(self.directory.last, state)


class _MemoryCheckpointer:
    """Keeps a copy of the best weights in memory, for runs without a folder."""

    def __init__(self) -> None:
        self.best: dict[str, Tensor] | None = None

    def save(self, state: Mapping[str, Any], *, best: bool) -> None:
        if best:
            weights = state["evaluated"]
            self.best = {name: value.detach().clone() for name, value in weights.items()}


@dataclass(frozen=True)
class _FrameTask:
    """Frames as the training loop wants them: batches, a loss, a validation."""

    training: FrameSource
    validation: FrameSource | None
    steps: int
    noise: Noise
    config: TrainingConfig

    def batches(self, start: int) -> Iterator[FrameBatch]:
        per_epoch = num_batches(self.training, self.config.batch_size)
        epoch, skip = divmod(start, per_epoch)
        while True:
            yield from epoch_batches(
                self.training,
                frames=self.steps + 1,
                batch_size=self.config.batch_size,
                seed=self.config.seed,
                epoch=epoch,
                skip=skip,
            )
            epoch, skip = epoch + 1, 0

    def loss(
        self, module: nn.Module, batch: FrameBatch, generator: Generator
    ) -> tuple[Tensor, Callable[[], Metrics]]:
        clip = make_clip(batch.frames.to(generator.device), self.noise, generator)
        terms = module(clip, generator)

        def measure() -> Metrics:
            if batch.groups is None:
                return {}
            groups = batch.groups[1:].flatten(2).to(generator.device)  # [T, B, D]
            scores = batch_scores(terms.rollout, groups, ("ari",))
            return {
                "ari": _mean_of_scored(scores["ari"]),
                "ari_last": _mean_of_scored(scores["ari"][-1]),
                "effective_components": _mean_of_scored(scores["effective_components"]),
            }

        return terms.loss, measure

    def validate(self, module: nn.Module) -> Metrics:
        if self.validation is None:
            return {}
        assert isinstance(module, NEMObjective)
        return evaluate(
            module,
            self.validation,
            steps=self.steps,
            noise=self.noise,
            seed=self.config.seed,
        ).metrics


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
    config: TrainingConfig | None = None,
    directory: Path | str | None = None,
    resume: bool = False,
    report: Callable[[str], None] = print,
) -> Run:
    """Train a model and its guide on videos or images.

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
        Noise on the guide's inputs; bit flips with probability 0.2 if not given.
    inter_weight, step_weights
        See :class:`inference.NEMObjective`.
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
    ConfigError
        If the data do not fit the model, or the arguments each other.
    NumericalError
        If the loss becomes NaN or infinite.
    """
    source = _as_source(data, "data")
    held_out = None if validation is None else _as_source(validation, "validation")
    if steps is None:
        if source.num_frames == 1:
            raise ConfigError(
                "steps: static images are repeated, so say how often; the paper uses steps=15"
            )
        steps = source.num_frames - 1
    objective = NEMObjective(model, guide, inter_weight=inter_weight, step_weights=step_weights)
    config = TrainingConfig() if config is None else config
    run_directory = None
    if directory is not None:
        run_directory = RunDirectory(Path(directory))
        if not resume:
            run_directory.create({"steps": steps, "training": asdict(config)})
    return fit_objective(
        objective,
        source,
        held_out,
        steps=steps,
        noise=Noise() if noise is None else noise,
        config=config,
        directory=run_directory,
        resume=resume,
        report=report,
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
    resume: bool,
    report: Callable[[str], None] = print,
) -> Run:
    """Train an objective on frame sources; see :func:`fit` for the arguments."""
    _check_fits(objective, training, steps)
    if validation is None and config.patience is not None:
        raise ConfigError("patience: early stopping needs validation data, got none")
    state = None
    if resume:
        if directory is None:
            raise ConfigError("resume: expected the directory of the run to continue, got none")
        state = load_checkpoint(directory.last)
        load_weights(objective, state["module"], directory.last)
        directory.truncate_metrics(state["update"])
    records: list[dict[str, float | int]] = [] if directory is None else directory.read_metrics()
    printer = ProgressPrinter(config.updates, report)
    memory = _MemoryCheckpointer()

    def log(record: Mapping[str, float | int]) -> None:
        records.append(dict(record))
        if directory is not None:
            directory.append_metrics(record)
        printer(record)

    task = _FrameTask(training, validation, steps, noise, config)
    with Interruption() as interruption:
        outcome = train(
            task,
            objective,
            config,
            log=log,
            checkpointer=memory if directory is None else FileCheckpointer(directory),
            resume=state,
            should_stop=interruption.requested,
        )
    if directory is not None and directory.best.exists():
        best = load_checkpoint(directory.best)
        load_weights(objective, best["evaluated"], directory.best)
    elif memory.best is not None:
        objective.load_state_dict(memory.best)
    path = None if directory is None else directory.path
    return Run(objective, records, outcome.reason, outcome.update, path)


def _mean_of_scored(values: NDArray[np.float64]) -> float:
    # NaN where no frame of the batch has a scored pixel, as data without labels have.
    scored = values[~np.isnan(values)]
    return float(scored.mean()) if scored.size else math.nan


def _as_source(data: FrameSource | NDArray[Any] | Tensor, name: str) -> FrameSource:
    if isinstance(data, (np.ndarray, Tensor)):
        return ArrayFrames(data, name=name)
    return data


def _check_fits(objective: NEMObjective, source: FrameSource, steps: int) -> None:
    if source.image_shape != objective.model.image_shape:
        raise ConfigError(
            f"{source.name}: frames are {source.image_shape} (rows, columns, channels), but the "
            f"model's decoder makes {objective.model.image_shape}; build it with "
            f"image_shape={source.image_shape}"
        )
    if steps < 1:
        raise ConfigError(f"steps: expected at least 1, got {steps}")
    if 1 < source.num_frames < steps + 1:
        raise ConfigError(
            f"steps: {steps} steps need {steps + 1} frames, but {source.name} has "
            f"{source.num_frames}; ask for at most {source.num_frames - 1} steps"
        )
