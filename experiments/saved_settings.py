"""Settings that a run has saved, as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from pyro_nem.errors import CheckpointError

__all__ = ["rebuilt"]

SettingsT = TypeVar("SettingsT")


def rebuilt(
    settings: type[SettingsT],
    content: Mapping[str, Any],
    source: str,
    parts: Mapping[str, Callable[[Any], Any]],
) -> SettingsT:
    """Return a dataclass of settings from its fields after a journey through JSON.

    Parameters
    ----------
    settings
        The dataclass.
    content
        Its fields, no more and no fewer.
    source
        What messages call the file.
    parts
        What makes those fields again that JSON has changed.

    Raises
    ------
    CheckpointError
        If the fields are not those of this version.
    """
    expected = {field.name for field in fields(settings)}  # type: ignore[arg-type]  # a dataclass
    if set(content) != expected:
        different = ", ".join(sorted(set(content) ^ expected))
        raise CheckpointError(
            f"{source}: expected the settings of such a run of this version, but these fields are "
            f"missing or unknown: {different}"
        )
    try:
        made = {name: make(content[name]) for name, make in parts.items()}
    except TypeError as error:
        raise CheckpointError(
            f"{source}: expected the settings of a run of this version, but {error}"
        ) from error
    return settings(**{**content, **made})
