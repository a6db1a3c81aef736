"""Generated files, made once and found again."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import h5py
import platformdirs

from pyro_nem.data.layout import SPLITS, Split, write_frames
from pyro_nem.data.shapes import ShapesConfig, generate_shapes
from pyro_nem.errors import DataError, StorageError

__all__ = ["CACHE_VARIABLE", "FORMAT_VERSION", "cache_dir", "shapes_file"]

CACHE_VARIABLE: Final = "PYRO_NEM_CACHE"
FORMAT_VERSION: Final = 1
"""Counts changes of what a configuration generates; files of another version are not used."""


def cache_dir() -> Path:
    """Return the folder for generated and downloaded files, which may not exist yet.

    `$PYRO_NEM_CACHE` if it is set, else the operating system's place for a user's caches.
    """
    return Path(os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("pyro_nem"))


def shapes_file(config: ShapesConfig, report: Callable[[str], None] = print) -> Path:
    """Return the file of shapes that a configuration describes, generating it the first time.

    Two processes may ask at once: both then generate the same data, and the file that is found
    is always whole.

    Parameters
    ----------
    config
        What the file holds. All of it is part of the file's name.
    report
        Called with a line of text before and after generating; not called if the file is found.

    Returns
    -------
    Path
        An HDF5 file in the published layout, for `HDF5Frames`.

    Raises
    ------
    DataError
        The file in the cache is damaged, or was not made from this configuration.
    StorageError
        The cache cannot be written.
    """
    attributes = {**asdict(config), "generator": "shapes", "format_version": FORMAT_VERSION}
    path = cache_dir() / _file_name(config, attributes)
    if path.exists():
        _check_attributes(path, attributes)
        return path
    counts = {name: int(attributes[name]) for name in SPLITS}
    report(
        f"Generating {sum(counts.values()):,} sequences of {config.objects} shapes, "
        f"{config.frames} frames each, into {path} (once; the default size takes about 10 s)"
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot create the cache folder {path.parent}: {error}; set ${CACHE_VARIABLE} to a "
            "folder that can be written"
        ) from error
    splits = {name: Split(count, generate_shapes(config, name)) for name, count in counts.items()}
    write_frames(path, splits, attributes)
    report(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
    return path


def _file_name(config: ShapesConfig, attributes: Mapping[str, str | int]) -> str:
    """Return a name that a person can read, made unique by a hash of all attributes."""
    text = json.dumps(attributes, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return (
        f"shapes-{config.objects}-objects-{config.frames}-frames-{config.rows}x{config.columns}"
        f"-{config.training}-{config.validation}-{config.test}-seed-{config.seed}-{digest}.h5"
    )


def _check_attributes(path: Path, expected: Mapping[str, str | int]) -> None:
    """Check that a cached file was made from the attributes that its name stands for."""
    try:
        with h5py.File(path, "r") as file:
            found = dict(file.attrs)
    except OSError as error:
        raise DataError(
            f"{path}: no readable HDF5 file ({error}); delete it to make it again"
        ) from error
    for key, value in expected.items():
        if found.get(key) != value:
            raise DataError(
                f"{path}: expected attribute {key!r} to be {value}, found {found.get(key)}; "
                "delete the file to make it again"
            )
