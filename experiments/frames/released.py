"""Released weights: small files of trained models, each of which can become a run again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from experiments.frames.config import FrameExperiment
from experiments.frames.defaults import defaults
from inference import RunDirectory, save_checkpoint
from pyro_nem.errors import CheckpointError
from pyro_nem.files import make_directory, replacing, write_json

__all__ = [
    "WEIGHTS",
    "Released",
    "find_run",
    "read_released",
    "released_names",
    "unpack",
    "write_released",
]

WEIGHTS: Final = Path(__file__).parents[1] / "weights"
"""Where the weights are that come with the package."""

_SUFFIX: Final = ".safetensors"
_UNPACKED: Final = Path("runs/released")
_KEYS = ("settings", "image_shape", "update", "summary")


class Released(NamedTuple):
    """The weights of a run with all that is needed to use them.

    Attributes
    ----------
    settings
        Those of the run.
    image_shape
        (rows, columns, C) of its frames.
    update
        The update after which the weights were saved.
    weights
        By the names of the objective's state dict.
    summary
        The run's ``summary.json``: its scores and where they come from.
    """

    settings: FrameExperiment
    image_shape: tuple[int, int, int]
    update: int
    weights: dict[str, Tensor]
    summary: dict[str, Any]


def write_released(path: Path, released: Released) -> None:
    """Write weights in half precision to a safetensors file, the rest into its header.

    Raises
    ------
    StorageError
        If the system refuses to write.
    """
    content = {
        "settings": released.settings.to_dict(),
        "image_shape": released.image_shape,
        "update": released.update,
        "summary": released.summary,
    }
    header = {key: json.dumps(content[key]) for key in _KEYS}
    # A linear layer's weight may be a view, of which the file format wants a copy.
    halves = {name: weight.half().contiguous() for name, weight in released.weights.items()}
    with replacing(path) as temporary:
        save_file(halves, temporary, header)


def read_released(path: Path) -> Released:
    """Read released weights, as float32.

    Settings that did not exist when the file was made are those of the defaults.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, or of something else.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: expected a file of released weights, found none")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        content = {key: json.loads(header[key]) for key in _KEYS}
    except (SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"{path}: expected weights that experiments.release wrote, but they cannot be read "
            f"({error}); take a new copy"
        ) from error
    own = content["settings"]
    usual = defaults(
        own["experiment"],
        own["scale"],
        own["guide"],
        own["network"],
        own["variant"],
        own["recipe"],
        own["staged"],
    )
    settings = FrameExperiment.from_dict({**usual.to_dict(), **own}, str(path))
    rows, columns, channels = content["image_shape"]
    return Released(
        settings, (rows, columns, channels), content["update"], weights, content["summary"]
    )


def released_names() -> list[str]:
    """Return the names of the weights that come with the package."""
    return sorted(path.stem for path in WEIGHTS.glob(f"*{_SUFFIX}"))


def find_run(folder: Path) -> RunDirectory:
    """Return a run: a folder, or released weights, then unpacked to ``runs/released/NAME``.

    A folder with the name of released weights is taken only if it holds a run.

    Parameters
    ----------
    folder
        A folder, the name of weights that come with the package, or the file of others.

    Raises
    ------
    CheckpointError
        If there is neither a folder nor a name like this, or released weights are missing or
        damaged.
    StorageError
        If the system refuses to write what is unpacked.
    """
    directory = RunDirectory(folder)
    name = str(folder)
    if name in released_names() and not directory.config.exists():
        return unpack(WEIGHTS / f"{name}{_SUFFIX}", _UNPACKED / name)
    if folder.suffix == _SUFFIX and not folder.is_dir():
        return unpack(folder, _UNPACKED / folder.stem)
    if folder.exists():
        return directory
    known = ", ".join(released_names()) or "none"
    raise CheckpointError(
        f"{folder}: expected the folder of a run, the name of released weights ({known}), or a "
        f"file of others, NAME{_SUFFIX}; found none of them"
    )


def unpack(path: Path, folder: Path) -> RunDirectory:
    """Make released weights a finished run, which all commands take; once.

    Parameters
    ----------
    path
        The file of the weights.
    folder
        The run's folder; made if it is not there.

    Raises
    ------
    CheckpointError
        If the file is damaged, or the folder holds another run.
    StorageError
        If the system refuses to write.
    """
    released = read_released(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    directory = RunDirectory(folder)
    if directory.evidence() is not None:
        if directory.read_config().get("released") != digest:
            raise CheckpointError(
                f"{folder}: holds something else than the weights of {path}; move it away, and "
                "they are unpacked there"
            )
        if directory.summary.exists():
            return directory
    make_directory(directory.best.parent)
    description = {
        "settings": released.settings.to_dict(),
        "image_shape": released.image_shape,
        "released": digest,
        "command": released.summary["command"],
        "commit": released.summary["commit"],
    }
    write_json(directory.config, description)
    save_checkpoint(directory.best, {"update": released.update, "evaluated": released.weights})
    # Last, as a finished run does.
    write_json(directory.summary, released.summary)
    return directory
