"""A trained run on sequences, opened to be scored or drawn from."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from experiments.cli import resolve_device
from experiments.resolving import or_default
from experiments.sequences.assembly import build_objective
from experiments.sequences.config import SequenceExperiment
from experiments.sequences.load_data import load_data
from experiments.sequences.sequence_data import SequenceData
from experiments.trained_weights import CheckpointName, load_trained
from inference import RunDirectory
from inference.sequences import SequenceObjective

__all__ = ["OpenSequenceRun", "open_run"]


class OpenSequenceRun(NamedTuple):
    """What a run has learned, and from what.

    Attributes
    ----------
    settings
        Those of the run, on the device that was asked for.
    data
        Its data.
    objective
        Model and guide with the weights of a checkpoint.
    update
        When that was written.
    """

    settings: SequenceExperiment
    data: SequenceData
    objective: SequenceObjective
    update: int


def open_run(
    directory: RunDirectory,
    checkpoint: CheckpointName,
    device: str | None,
    held_out: int | None = None,
) -> OpenSequenceRun:
    """Open a run.

    Parameters
    ----------
    directory
        Its folder.
    checkpoint
        The weights of the lowest validation loss, or the latest.
    device
        See :func:`experiments.cli.resolve_device`.
    held_out
        Validation and test sequences, the first ones, or all if there are fewer; as many as the run
        has if not given.

    Raises
    ------
    CheckpointError
        If the folder holds no run on sequences, or its checkpoint is corrupt.
    ConfigError
        If the device is not there.
    DataError
        If its data are not there any more.
    """
    settings = SequenceExperiment.from_dict(directory.read_settings(), str(directory.config))
    settings = replace(
        settings,
        device=resolve_device(device),
        held_out=or_default(held_out, settings.held_out),
    )
    data = load_data(settings)
    objective = build_objective(settings, data)
    update = load_trained(objective, directory, checkpoint)
    return OpenSequenceRun(settings, data, objective, update)
