"""The weights of a trained run."""

from __future__ import annotations

from typing import Literal

from torch import nn

from inference import RunDirectory, load_checkpoint, load_weights

__all__ = ["CheckpointName", "load_trained"]

CheckpointName = Literal["best", "last"]
"""The weights of the lowest validation loss, or the latest."""


def load_trained(module: nn.Module, directory: RunDirectory, checkpoint: CheckpointName) -> int:
    """Load weights into a module, say which, and return the update that they are of.

    Raises
    ------
    CheckpointError
        If they are missing, corrupt or of another architecture.
    """
    path = directory.best if checkpoint == "best" else directory.last
    state = load_checkpoint(path)
    load_weights(module, state["evaluated"], path)
    update: int = state["update"]
    print(f"{directory.path}, {path.name} of update {update}")
    return update
