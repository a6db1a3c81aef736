"""The options of where a run is kept and carried out, whatever is run."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.cli import File, RunDevice, Threads

__all__ = ["PlaceOptions"]


@dataclass(frozen=True)
class PlaceOptions:
    """Folder and device of a run."""

    run_dir: File = None
    """Folder of the run. Default: runs/EXPERIMENT/NAME, the name made from the settings."""

    resume: bool = False
    """Continue the run in that folder from its last checkpoint."""

    device: RunDevice = None

    threads: Threads = None
