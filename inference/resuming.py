"""Going on with what a run's folder holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from torch import nn

from inference.checkpoints import load_checkpoint, load_weights
from inference.kept_settings import current_settings
from inference.processes import Processes
from inference.run_directory import RunDirectory
from pyro_nem.errors import CheckpointError

__all__ = ["check_same_settings", "load_best", "load_state"]

# Of several processes the one that writes reads as well: others may have no access to the folder.


def load_state(module: nn.Module, directory: RunDirectory, processes: Processes) -> dict[str, Any]:
    """Return the last checkpoint, checked against the module, and tidy the folder.

    Raises
    ------
    CheckpointError
        If it is missing, corrupt or another's, or holds weights only.
    """

    def load() -> dict[str, Any]:
        state = load_checkpoint(directory.last)
        if "optimizer" not in state:
            raise CheckpointError(
                f"{directory.last}: holds weights only, which cannot be resumed; is it a copy of "
                f"{directory.best.name}?"
            )
        load_weights(module, state["module"], directory.last)
        directory.truncate_metrics(state["update"])
        directory.remove_leftovers()
        return state

    return processes.once(load)


def load_best(module: nn.Module, directory: RunDirectory, processes: Processes) -> None:
    """Load the weights of the lowest validation loss, where there are any.

    Raises
    ------
    CheckpointError
        If they are corrupt or of another architecture.
    """

    def load() -> dict[str, Any] | None:
        return load_checkpoint(directory.best) if directory.best.exists() else None

    best = processes.once(load)
    if best is not None:
        load_weights(module, best["evaluated"], directory.best)


def check_same_settings(
    directory: RunDirectory, settings: Mapping[str, Any], processes: Processes
) -> None:
    """Check that a run has the settings that are asked for.

    Raises
    ------
    CheckpointError
        If it has not, or the folder holds no run.
    """
    saved = current_settings(processes.once(directory.read_settings))
    asked = json.loads(json.dumps(settings))
    for name in sorted({*saved, *asked}):
        if saved.get(name) != asked.get(name):
            raise CheckpointError(
                f"{directory.path}: holds a run with {name} = {saved.get(name)}, but {name} = "
                f"{asked.get(name)} is asked for; resume with the same settings, or choose another "
                "directory"
            )
