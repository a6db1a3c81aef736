"""What the resolving of options has in common, whatever is run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from experiments.option_names import option_of
from experiments.scale import Scale
from inference import RunDirectory
from pyro_nem.errors import CheckpointError, ConfigError

__all__ = [
    "asked_for",
    "check_name",
    "choose_scale",
    "differences",
    "given",
    "or_default",
    "path_digits",
    "require_same",
]


ValueT = TypeVar("ValueT")

_DIGITS: Final = 6


def check_name(option: str, name: str | None) -> None:
    """Check that files can have the name that an option gives; None if it was left out.

    Raises
    ------
    ConfigError
        If it could be a path, or is none at all.
    """
    if name is not None and re.fullmatch(r"\w[\w.-]*", name) is None:
        raise ConfigError(
            f"{option}: expected letters, digits, -, _ and, behind the first of them, dots, of "
            f"which file names are made, got {name!r}"
        )


def choose_scale(scale: Scale | None, device: str) -> tuple[Scale, str]:
    """Return the scale that was asked for or that suits a device, and why it is that."""
    if scale is not None:
        return scale, "asked for with --scale"
    if device.startswith("cuda"):
        return "paper", "there is a CUDA device"
    return "laptop", "there is no CUDA device; --scale paper runs the full protocol"


def given(options: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the options among ``names`` that the user gave, as settings hold them."""
    values = {name: getattr(options, name) for name in names}
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in values.items()
        if value is not None
    }


def asked_for(options: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return those settings that options of the user set, without what these imply for others.

    Parameters
    ----------
    options
        What was typed; None is an option that was left out.
    settings
        What became of it, those of a part in a dictionary.
    """
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found[name] = asked_for(options, value)
        elif getattr(options, option_of(name), None) is not None:
            found[name] = value
    return found


def or_default(value: ValueT | None, default: ValueT) -> ValueT:
    """Return an option's value, or the default if it was left out; 0 is a value."""
    return default if value is None else value


def path_digits(path: str) -> str:
    """Return some digits that tell an absolute path from others that end in the same name."""
    return hashlib.sha256(path.encode()).hexdigest()[:_DIGITS]


def differences(held: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """Return in what the settings of a run are not what is asked for, at most three; "" if in none.

    They have the names of the options that set them.

    Parameters
    ----------
    held
        Settings, those of a part in a dictionary.
    asked
        Such settings, or some of them.
    """
    found = list(_differences(held, asked))
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(found[:3]) + more


def _differences(held: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[str]:
    for name, value in asked.items():
        there = held[name]
        if isinstance(there, Mapping) and isinstance(value, Mapping):
            yield from _differences(there, value)
        elif value != there:
            yield f"{option_of(name).replace('_', '-')} {there} instead of {value}"


def require_same(
    directory: RunDirectory, held: Mapping[str, Any], asked: Mapping[str, Any]
) -> None:
    """Check that what a command line asks for is what the run in a folder has.

    Raises
    ------
    CheckpointError
        If a value differs.
    """
    if found := differences(held, asked):
        raise CheckpointError(
            f"{directory.path}: holds a run with {found}, which the command line asks for; leave "
            "that option out to continue this run, or choose another folder with --run-dir"
        )
