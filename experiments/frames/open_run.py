"""A trained run, opened to be scored under its own conditions or others."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Literal, NamedTuple

from experiments.frames.assembly import build_objective, check_same_frames, file_to_score
from experiments.frames.config import FrameExperiment
from inference import NEMObjective, RunDirectory, check_levels, load_checkpoint, load_weights
from pyro_nem.data import HDF5Frames

__all__ = ["OpenRun", "SplitName", "open_run", "trained_settings"]

SplitName = Literal["training", "validation", "test"]


class OpenRun(NamedTuple):
    """Weights and frames, ready to be scored.

    Attributes
    ----------
    objective
        Model and guide with the weights of the checkpoint.
    source
        The frames.
    update
        The update after which the weights were saved.
    """

    objective: NEMObjective
    source: HDF5Frames
    update: int


def trained_settings(directory: RunDirectory) -> FrameExperiment:
    """Return the settings that a run was trained with.

    Raises
    ------
    CheckpointError
        If the folder holds no run, or one of another version.
    """
    return FrameExperiment.from_dict(directory.read_settings(), str(directory.config))


@contextlib.contextmanager
def open_run(
    directory: RunDirectory,
    settings: FrameExperiment,
    *,
    split: SplitName = "test",
    checkpoint: Literal["best", "last"] = "best",
) -> Iterator[OpenRun]:
    """Yield a run with weights and frames; the file is closed afterwards.

    Parameters
    ----------
    directory
        The run.
    settings
        The conditions to score it under; ``test_sequences`` of the split are read, or as many as
        there are.
    split
        Which split of the file.
    checkpoint
        The weights of the lowest validation loss, or the latest.

    Raises
    ------
    CheckpointError
        If there is no such checkpoint, or it is corrupt.
    ConfigError
        If the frames do not have the size that the run was trained on, or levels that its law of
        pixels has no probability of.
    DataError
        If their file is missing or damaged.
    """
    trained_here = "released" not in directory.read_config()
    trained = trained_settings(directory)
    path = file_to_score(settings, trained, split, trained_here=trained_here)
    file = directory.best if checkpoint == "best" else directory.last
    state = load_checkpoint(file)
    with HDF5Frames(path, split, settings.test_sequences) as source:
        check_same_frames(source, directory)
        objective = build_objective(settings, source.image_shape)
        check_levels(objective.model, source)
        load_weights(objective, state["evaluated"], file)
        yield OpenRun(objective, source, state["update"])
