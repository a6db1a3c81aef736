"""Checkpoints: plain dictionaries of tensors and numbers, loadable with ``weights_only=True``."""

from __future__ import annotations

import io
import pickle
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pyro_nem.errors import CheckpointError
from pyro_nem.files import replacing

__all__ = ["FORMAT", "load_checkpoint", "load_weights", "save_checkpoint"]

# What zipfile and PyTorch's unpickler raise on damaged files.
_READING_ERRORS = (
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
)

FORMAT = 1
"""Version of the layout; a checkpoint of another version is refused."""


def save_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint atomically: a kill at any moment leaves the old or the new one.

    Parameters
    ----------
    path
        The file to write.
    content
        Tensors, numbers, strings and containers of them.

    Raises
    ------
    StorageError
        If the file cannot be written, for instance because the disk is full.
    """
    # Serialised in memory first, so that a full disk is an ordinary OSError and not one of torch's.
    archive = io.BytesIO()
    torch.save({"format": FORMAT, **content}, archive)
    with replacing(path) as temporary:
        temporary.write_bytes(archive.getbuffer())


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a checkpoint.

    Raises
    ------
    CheckpointError
        If the file is missing, corrupt or no checkpoint of this project.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: expected a checkpoint, found no such file")
    # PyTorch's archives are zip files, whose directory stands at the end: a truncated one is none.
    if not zipfile.is_zipfile(path):
        raise _corrupt(path, "it is truncated or of another format")
    try:
        # torch.load does not look at the checksums: a flipped bit would be a wrong weight.
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise _corrupt(path, f"the checksum of {damaged} is wrong")
        content = torch.load(path, map_location=device, weights_only=True)
    except _READING_ERRORS as error:
        raise _corrupt(path, str(error).split("\n")[0]) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(
            f"{path}: expected a checkpoint of format {FORMAT} of this project, found {found!r}"
        )
    return content


def _corrupt(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f"{path}: the checkpoint is corrupt or no checkpoint at all ({reason}); evaluation can use "
        "the other one of last.pt and best.pt, training has to begin again in a new run directory"
    )


def load_weights(module: nn.Module, weights: Mapping[str, Tensor], source: Path) -> None:
    """Copy weights into a module, after checking that they are of its architecture.

    Raises
    ------
    CheckpointError
        If names or shapes differ; the message lists the first of them.
    """
    own = module.state_dict()
    problems = [f"{name} is missing" for name in own if name not in weights]
    problems += [f"{name} is unknown here" for name in weights if name not in own]
    problems += [
        f"{name} is {tuple(weights[name].shape)} and should be {tuple(own[name].shape)}"
        for name in own
        if name in weights and weights[name].shape != own[name].shape
    ]
    if problems:
        more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
        raise CheckpointError(
            f"{source}: the checkpoint is of another architecture than "
            f"{type(module).__name__}: {'; '.join(problems[:3])}{more}"
        )
    module.load_state_dict(weights)
