"""Generated files, made once and found again."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final, NamedTuple

import h5py
from filelock import FileLock, Timeout

from pyro_nem.data.balls import BallsConfig, generate_balls
from pyro_nem.data.digits import DigitsConfig, generate_digits
from pyro_nem.data.folders import CACHE_VARIABLE, cache_dir
from pyro_nem.data.layout import SPLITS, FrameBlock, Split, write_frames
from pyro_nem.data.shapes import ShapesConfig, generate_shapes
from pyro_nem.data.sprites import WHITE, SpritesConfig, generate_sprites
from pyro_nem.errors import DataError, StorageError

__all__ = ["FORMAT_VERSION", "balls_file", "digits_file", "shapes_file", "sprites_file"]

FORMAT_VERSION: Final = 1
"""Counts changes of what a configuration generates; files of another version are not used."""


def shapes_file(config: ShapesConfig, report: Callable[[str], None] = print) -> Path:
    """Return the file of shapes that a configuration describes, generating it the first time.

    Of several processes that ask at once one generates while the others wait. The file that is
    found is always whole, even where the file system knows no locks.

    Parameters
    ----------
    config
        What the file holds. All of it is part of the file's name.
    report
        Called with a line of text before and after generating, or before waiting for another
        process; not called if the file is found.

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
    kind = _Kind("shapes", f"shapes-{config.objects}-objects", f"{config.objects} shapes", "10 s")
    return _generated_file(kind, config, lambda split: generate_shapes(config, split), report)


def balls_file(config: BallsConfig, report: Callable[[str], None] = print) -> Path:
    """Return the file of bouncing balls that a configuration describes, as `shapes_file` does.

    It has collisions, too.

    Parameters
    ----------
    config
        What the file holds. All of it is part of the file's name.
    report
        Called with a line of text before and after generating, or before waiting for another
        process; not called if the file is found.

    Returns
    -------
    Path
        An HDF5 file in the published layout, for `HDF5Frames`.

    Raises
    ------
    ConfigError
        The balls do not fit into the image.
    DataError
        The file in the cache is damaged, or was not made from this configuration.
    StorageError
        The cache cannot be written.
    """
    count = _count(config)
    name, text = f"balls-{count}-objects", f"{count} balls"
    if config.curtain:
        name, text = f"{name}-curtain", f"{text} behind a curtain"
    kind = _Kind("balls", name, text, "10 min")
    return _generated_file(kind, config, lambda split: generate_balls(config, split), report)


def sprites_file(config: SpritesConfig, report: Callable[[str], None] = print) -> Path:
    """Return the file of sprites that a configuration describes, as `shapes_file` does.

    Parameters
    ----------
    config
        What the file holds. All of it is part of the file's name.
    report
        Called with a line of text before and after generating, or before waiting for another
        process; not called if the file is found.

    Returns
    -------
    Path
        An HDF5 file with the splits `training`, `validation` and `test`.

    Raises
    ------
    DataError
        The file in the cache is damaged, or was not made from this configuration.
    StorageError
        The cache cannot be written.
    """
    count = _count(config)
    kind = _Kind("sprites", f"sprites-{count}-objects", f"{count} sprites", "3 min", WHITE)
    return _generated_file(kind, config, lambda split: generate_sprites(config, split), report)


def digits_file(config: DigitsConfig, report: Callable[[str], None] = print) -> Path:
    """Return the file of digits that a configuration describes, as `shapes_file` does.

    Parameters
    ----------
    config
        What the file holds. All of it is part of the file's name.
    report
        Called with a line of text before and after generating, before waiting for another
        process, and before MNIST is downloaded; not called if the file is found.

    Returns
    -------
    Path
        An HDF5 file in the published layout, for `HDF5Frames`.

    Raises
    ------
    DataError
        The file in the cache is damaged, or was not made from this configuration; or MNIST cannot
        be found, or what was found is damaged.
    StorageError
        The cache cannot be written.
    """
    name, text = f"digits-{config.objects}-objects", f"{config.objects} digits"
    if config.variations is not None:
        name, text = f"{name}-of-{config.variations}", f"{text} of {config.variations}"
    kind = _Kind("digits", name, text, "90 s", white=255)
    return _generated_file(
        kind, config, lambda split: generate_digits(config, split, report), report
    )


def _count(config: BallsConfig | SpritesConfig) -> str:
    """Return the number of objects in words."""
    most = "" if config.most_objects is None else f"-{config.most_objects}"
    return f"{config.objects}{most}"


_Config = ShapesConfig | BallsConfig | DigitsConfig | SpritesConfig


class _Kind(NamedTuple):
    """How to speak of a kind of generated files."""

    generator: str
    """What made them, as in their attributes."""
    name: str
    """How the file's name begins."""
    text: str
    """What a sequence shows."""
    time: str
    """How long it takes to generate a file of the default size."""
    white: int = 1
    """The feature of full intensity."""


def _generated_file(
    kind: _Kind,
    config: _Config,
    generate: Callable[[str], Iterator[FrameBlock]],
    report: Callable[[str], None],
) -> Path:
    """Return the file of a configuration, generating its splits the first time."""
    # HDF5 has no attribute that is None; a field without a value is left out.
    fields = {key: value for key, value in asdict(config).items() if value is not None}
    attributes = {**fields, "generator": kind.generator, "format_version": FORMAT_VERSION}
    path = cache_dir() / _file_name(kind, config, attributes)
    if path.exists():
        _check_attributes(path, attributes)
        return path
    with _alone(path, report):
        if path.exists():
            _check_attributes(path, attributes)
        else:
            _write(path, kind, attributes, generate, report)
    return path


@contextmanager
def _alone(path: Path, report: Callable[[str], None]) -> Iterator[None]:
    """Make the cache and keep other processes from making the same file meanwhile."""
    lock = FileLock(path.with_name(f".{path.stem}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        report(f"Waiting for another process that generates {path}")
        lock.acquire()
    except OSError as error:
        raise StorageError(
            f"cannot write to the cache folder {path.parent}: {error}; set ${CACHE_VARIABLE} to a "
            "folder that can be written"
        ) from error
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _write(
    path: Path,
    kind: _Kind,
    attributes: Mapping[str, str | int],
    generate: Callable[[str], Iterator[FrameBlock]],
    report: Callable[[str], None],
) -> None:
    """Generate the splits of a file."""
    counts = {name: int(attributes[name]) for name in SPLITS}
    report(
        f"Generating {sum(counts.values()):,} sequences of {kind.text}, {attributes['frames']} "
        f"frames each, into {path} (once; the default size takes about {kind.time})"
    )
    splits = {name: Split(count, generate(name), kind.white) for name, count in counts.items()}
    write_frames(path, splits, attributes)
    report(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")


def _file_name(kind: _Kind, config: _Config, attributes: Mapping[str, str | int]) -> str:
    """Return a name that a person can read, made unique by a hash of all attributes."""
    text = json.dumps(attributes, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return (
        f"{kind.name}-{config.frames}-frames-{config.rows}x{config.columns}"
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
