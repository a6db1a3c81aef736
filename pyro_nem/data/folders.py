"""Where files are looked for and kept."""

import os
from pathlib import Path
from typing import Final

import platformdirs

from pyro_nem.errors import DataError

__all__ = [
    "CACHE_VARIABLE",
    "DATA_VARIABLE",
    "cache_dir",
    "data_dir",
    "is_visible",
    "require_folder",
]

CACHE_VARIABLE: Final = "PYRO_NEM_CACHE"
DATA_VARIABLE: Final = "PYRO_NEM_DATA"


def cache_dir() -> Path:
    """Return the folder for generated and downloaded files, which may not exist yet.

    `$PYRO_NEM_CACHE` if it is set, else the operating system's place for a user's caches.
    """
    return Path(os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("pyro_nem"))


def data_dir() -> Path | None:
    """Return `$PYRO_NEM_DATA`, a user's folder of data sets, or None if it is not set."""
    folder = os.environ.get(DATA_VARIABLE)
    return Path(folder) if folder else None


def is_visible(path: Path, folder: Path) -> bool:
    """Return whether no part of a path below a folder is hidden, as macOS hides notes on a file."""
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)


def require_folder(folder: Path, data: str) -> None:
    """Check that a user's folder with data is there.

    Parameters
    ----------
    folder
        Where the user has them.
    data
        What messages call them.

    Raises
    ------
    DataError
        There is nothing, or a file.
    """
    if not folder.is_dir():
        what = "a file" if folder.exists() else "nothing"
        raise DataError(f"{folder}: expected a folder with {data}, found {what}; say where it is")
