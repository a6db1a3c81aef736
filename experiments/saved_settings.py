"""Settings that a run has saved, as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final, TypeVar, get_args, get_type_hints

from experiments.names import ExperimentName, ImageExperimentName, SequenceExperimentName
from pyro_nem.errors import CheckpointError

__all__ = ["rebuilt"]

SettingsT = TypeVar("SettingsT")

# What scores runs again -> the experiments that these are of.
_EVALUATED: Final = {
    "experiments.evaluate": get_args(ExperimentName),
    "experiments.sequences.evaluate": get_args(SequenceExperimentName),
    "experiments.images.evaluate": get_args(ImageExperimentName),
}


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
        The dataclass, one with the name of its experiment in the field ``experiment``.
    content
        Its fields, no more and no fewer.
    source
        What messages call the file.
    parts
        What makes those fields again that JSON has changed.

    Raises
    ------
    CheckpointError
        If they are those of another kind of experiment, or not those of this version.
    """
    held = content.get("experiment")
    if held not in get_args(get_type_hints(settings)["experiment"]):
        for command, names in _EVALUATED.items():
            if held in names:
                raise CheckpointError(
                    f"{source}: holds a run of {held}, which this command is not for; score it "
                    f"with {command}, or continue it with experiments.run {held} --resume"
                )
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
