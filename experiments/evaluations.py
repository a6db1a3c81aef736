"""What commands have in common that score a trained run again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inference import RunDirectory
from pyro_nem.errors import ConfigError
from pyro_nem.files import make_directory, write_json

__all__ = ["check_count", "evaluation_file", "write_evaluation"]


def check_count(option: str, asked: int | None, held: int, source: str) -> None:
    """Check that there are as many sequences or images as an option asks for.

    Parameters
    ----------
    option
        As typed.
    asked
        Its value; None if it was left out.
    held
        How many there are.
    source
        What holds them.

    Raises
    ------
    ConfigError
        If there are fewer.
    """
    if asked is not None and asked > held:
        raise ConfigError(
            f"{option}: {source} holds {held:,}, fewer than the {asked:,} asked for; choose at "
            "most as many"
        )


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
