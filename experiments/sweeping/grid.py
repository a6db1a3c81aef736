"""The grid of a sweep: from the command line to one run for each combination of values."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

from experiments.choices import did_you_mean
from experiments.cli import parse
from experiments.kinds import AnyExperimentName, Kind, Settings, kind_of
from experiments.option_names import naming_options
from inference import RunDirectory
from pyro_nem.errors import ConfigError

__all__ = ["Axes", "GridPoint", "expand", "split_arguments", "to_axes"]

Axes = Mapping[str, Sequence[str]]
"""Values by option of experiments.run, as typed: ``{"--components": ("3", "5")}``."""

# What the sweep itself decides for each run, and what to use instead.
_DECIDED = {
    "--run-dir": "the folders are those that experiments.run chooses",
    "--resume": "what was interrupted is resumed without being asked",
    "--device": "use --devices, which deals the runs out",
}


class GridPoint(NamedTuple):
    """One run of a grid.

    Attributes
    ----------
    arguments
        Of experiments.run; without device, threads and ``--resume``, which do not tell runs apart.
    settings
        What they ask for.
    directory
        The folder that experiments.run chooses for them.
    """

    arguments: tuple[str, ...]
    settings: Settings
    directory: RunDirectory


def split_arguments(arguments: Sequence[str], own: Collection[str]) -> tuple[list[str], list[str]]:
    """Split a command line into the sweep's own part and the options for experiments.run.

    Parameters
    ----------
    arguments
        The command line.
    own
        The sweep's own options, as ``--cluster-options``.

    Returns
    -------
    The arguments before the first option and those of own options with their values; the others.
    """
    parts: tuple[list[str], list[str]] = ([], [])
    part = parts[0]
    for word in arguments:
        if word.startswith("-") and not _is_number(word):
            part = parts[0] if not word.startswith("--") or _name(word) in own else parts[1]
        part.append(word)
    return parts


def to_axes(
    experiment: AnyExperimentName, words: Sequence[str], own: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Return the values of each option of experiments.run on a command line.

    Parameters
    ----------
    experiment
        What is run.
    words
        The second part that :func:`split_arguments` returns.
    own
        The sweep's own options, for suggestions.

    Raises
    ------
    ConfigError
        If an option is unknown, given twice, or decided by the sweep.
    """
    options = fields(kind_of(experiment).options)
    known = {"--" + field.name.replace("_", "-") for field in options} - {"--experiment"}
    axes: dict[str, tuple[str, ...]] = {}
    for name, values in _options(words):
        if name in _DECIDED:
            raise ConfigError(f"{name}: is decided for each run; {_DECIDED[name]}")
        if name not in known:
            advice = did_you_mean(name, {*known, *own}) or "; see --help"
            raise ConfigError(f"{name}: expected an option of this command or of run{advice}")
        if name in axes:
            raise ConfigError(f"{name}: given twice; name all values behind one {name}")
        axes[name] = values
    return axes


def expand(
    experiment: AnyExperimentName, axes: Axes, device: str | None, program: str
) -> list[GridPoint]:
    """Return a run for each combination of values.

    The seed changes last, so that each setting gets its first seed before any gets its second.

    Parameters
    ----------
    experiment
        What all of them run.
    axes
        The values of each option.
    device
        Where they are to run; it decides the scale where none is given.
    program
        The command's name, for errors.

    Raises
    ------
    ConfigError
        If options contradict each other, or two runs would share a folder.
    """
    kind = kind_of(experiment)
    order = sorted(axes, key=lambda name: name != "--seed")
    points: dict[Path, GridPoint] = {}
    for values in itertools.product(*(axes[name] or (None,) for name in order)):
        chosen = dict(zip(order, values, strict=True))
        words = [word for name in axes for word in (name, chosen[name]) if word is not None]
        arguments = (experiment, *words)
        point = _point(kind, arguments, device, program)
        other = points.setdefault(point.directory.path, point)
        if other is not point:
            raise ConfigError(
                f"two runs of the grid would share the folder {point.directory.path}: "
                f"{shlex.join(other.arguments)} and {shlex.join(arguments)}; give each value once, "
                "and only several values of options that the folder's name shows"
            )
    return list(points.values())


def _point(kind: Kind, arguments: tuple[str, ...], device: str | None, program: str) -> GridPoint:
    where = () if device is None else ("--device", device)
    options = parse(kind.options, program, [*arguments, *where])
    try:
        with naming_options(kind.options):
            settings, _ = kind.resolve(options)
    except ConfigError as error:
        raise ConfigError(f"{shlex.join(arguments)}: {error}") from error
    return GridPoint(arguments, settings, RunDirectory(kind.folder(settings)))


def _options(words: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    found: list[tuple[str, tuple[str, ...]]] = []
    for word in words:
        if word.startswith("--"):
            _, equals, value = word.partition("=")
            found.append((_name(word), (value,) if equals else ()))
        else:
            name, values = found[-1]
            found[-1] = (name, (*values, word))
    return found


def _name(word: str) -> str:
    return word.partition("=")[0].replace("_", "-")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
