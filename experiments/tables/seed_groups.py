"""Finished runs that differ in their seed only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, NamedTuple, TypeVar

from experiments.frames.config import FrameExperiment
from experiments.images.config import ImageExperiment
from experiments.resolving import differences
from experiments.sequences.config import SequenceExperiment
from inference import RunDirectory
from pyro_nem.errors import ConfigError

__all__ = ["Member", "SettingsT", "check_names", "seed_groups"]

SettingsT = TypeVar("SettingsT", bound=FrameExperiment | SequenceExperiment | ImageExperiment)
"""The settings of a kind of experiments."""


class Member(NamedTuple, Generic[SettingsT]):
    """A finished run.

    Attributes
    ----------
    directory
        Its folder.
    settings
        What it was trained with.
    summary
        The content of its ``summary.json``.
    """

    directory: RunDirectory
    settings: SettingsT
    summary: Mapping[str, Any]


def seed_groups(
    members: Iterable[tuple[str, Member[SettingsT]]],
) -> list[list[Member[SettingsT]]]:
    """Return the runs of each key, seeds in order.

    Parameters
    ----------
    members
        Runs, each with a key that runs share which differ in their seed only.

    Raises
    ------
    ConfigError
        If two runs are of the same key and seed.
    """
    groups: dict[str, dict[int, Member[SettingsT]]] = {}
    for key, member in members:
        group = groups.setdefault(key, {})
        seed = member.settings.training.seed
        if seed in group:
            raise ConfigError(
                f"{member.directory.path}: seed {seed} of these settings is there twice, in "
                f"{group[seed].directory.path} too; name each run once"
            )
        group[seed] = member
    return [[group[seed] for seed in sorted(group)] for group in groups.values()]


def check_names(groups: Sequence[Sequence[Member[SettingsT]]], names: Sequence[str]) -> None:
    """Check that no two groups would have the same rows in a table.

    Parameters
    ----------
    groups
        What :func:`seed_groups` returned.
    names
        What the rows of each are called.

    Raises
    ------
    ConfigError
        If two of one experiment and scale have the same name.
    """
    found: dict[tuple[str, str, str], Member[SettingsT]] = {}
    for (member, *_), name in zip(groups, names, strict=True):
        settings = member.settings
        other = found.setdefault((settings.experiment, settings.scale, name), member)
        if other is not member:
            raise ConfigError(
                f"{member.directory.path}: its row of the table would be named {name!r}, as that "
                f"of {other.directory.path}, a run with {_difference(other.settings, settings)}; "
                "give each an --output of its own, or, if they mean the same, collect one after "
                "the other"
            )


def _difference(settings: SettingsT, other: SettingsT) -> str:
    seed = settings.training.seed
    alike = replace(other, device=settings.device, training=replace(other.training, seed=seed))
    return differences(settings.to_dict(), alike.to_dict())
