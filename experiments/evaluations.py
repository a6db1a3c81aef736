"""The folder in which a run keeps what it was scored again with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inference import RunDirectory
from pyro_nem.files import make_directory, write_json

__all__ = ["evaluation_file", "write_evaluation"]


def evaluation_file(directory: RunDirectory, name: str) -> Path:
    """Return where the scores of a run's evaluation are kept."""
    return directory.path / "evaluations" / f"{name}.json"


def write_evaluation(directory: RunDirectory, name: str, content: Mapping[str, Any]) -> Path:
    """Write the scores of a run's evaluation and return where.

    Raises
    ------
    StorageError
        If the system refuses to write.
    """
    file = evaluation_file(directory, name)
    make_directory(file.parent)
    write_json(file, content)
    return file
