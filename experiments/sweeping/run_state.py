"""What is in the folder of a run that is to be run."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from experiments.frames.config import FrameExperiment
from experiments.frames.stages import stages
from experiments.kinds import Settings
from experiments.resolving import differences
from inference import RunDirectory
from pyro_nem.errors import CheckpointError

__all__ = ["RunState", "run_state", "stage_state"]

RunState = Literal["new", "interrupted", "finished"]


def run_state(asked: Settings, directory: RunDirectory) -> RunState:
    """Return how far a run is, which is finished with its last stage.

    Parameters
    ----------
    asked
        The settings that the run is to have; where and how it is carried out does not matter.
    directory
        Its folder, which need not exist.

    Raises
    ------
    CheckpointError
        If the folder holds a run with other settings, or files that are no run.
    """
    if not isinstance(asked, FrameExperiment):
        return stage_state(asked, directory)
    states = [stage_state(stage.settings, stage.directory) for stage in stages(asked, directory)]
    if states[-1] == "finished" or set(states) == {"new"}:
        return states[-1]
    return "interrupted"


def stage_state(asked: Settings, directory: RunDirectory) -> RunState:
    """Return how far a run, or one stage of it, is; see :func:`run_state`."""
    if directory.evidence() is None:
        return "new"
    there: Settings = type(asked).from_dict(directory.read_settings(), str(directory.config))
    there = replace(there, device=asked.device)
    if isinstance(there, FrameExperiment) and isinstance(asked, FrameExperiment):
        there = replace(there, execution=asked.execution)
    if found := differences(there.to_dict(), asked.to_dict()):
        raise CheckpointError(
            f"{directory.path}: holds a run with {found}; move the folder away, or ask for that "
            "run's settings"
        )
    if directory.summary.exists():
        directory.read_summary()
        return "finished"
    if directory.last.exists():
        return "interrupted"
    raise CheckpointError(
        f"{directory.path}: holds a run that stopped before its first checkpoint; remove the "
        "folder to start it again"
    )
