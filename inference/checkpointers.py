"""Where a training leaves its state: in files, or in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from inference.checkpoints import save_checkpoint
from inference.processes import ALONE, Processes
from inference.run_directory import RunDirectory

__all__ = ["FileCheckpointer", "MemoryCheckpointer"]


class FileCheckpointer:
    """Keeps a training's state in ``last.pt`` and its best weights in ``best.pt``.

    One of several processes writes, and none goes on before it has.
    """

    def __init__(self, directory: RunDirectory, processes: Processes = ALONE) -> None:
        self.directory = directory
        self.processes = processes

    def save(self, state: Mapping[str, Any], *, best: bool) -> None:
        """Write the best weights first: a kill in between then only repeats a validation."""
        self.processes.once(lambda: self._write(state, best))

    def _write(self, state: Mapping[str, Any], best: bool) -> None:
        if best:
            weights = {"update": state["update"], "evaluated": state["evaluated"]}
            save_checkpoint(self.directory.best, weights)
        save_checkpoint(self.directory.last, state)


class MemoryCheckpointer:
    """Keeps a copy of the best weights in memory, for runs without a folder."""

    def __init__(self) -> None:
        self.best: dict[str, Tensor] | None = None

    def save(self, state: Mapping[str, Any], *, best: bool) -> None:
        """Copy the weights that are validated, if they are the best so far."""
        if best:
            weights = state["evaluated"]
            self.best = {name: value.detach().clone() for name, value in weights.items()}
