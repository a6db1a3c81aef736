"""The settings and the folder of a run that is begun or continued."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from experiments.place_options import PlaceOptions
from inference import RunDirectory
from pyro_nem.errors import CheckpointError

__all__ = ["folder_to_resume", "open_folder"]

_MOST_NAMED = 5


class _Settings(Protocol):
    @property
    def experiment(self) -> str: ...
    @property
    def scale(self) -> str: ...


OptionsT = TypeVar("OptionsT", bound=PlaceOptions)
SettingsT = TypeVar("SettingsT", bound=_Settings)


def open_folder(
    options: OptionsT,
    resolve: Callable[[OptionsT], tuple[SettingsT, str]],
    resume_settings: Callable[[OptionsT, RunDirectory], SettingsT],
    default_directory: Callable[[SettingsT], Path],
) -> tuple[SettingsT, RunDirectory]:
    """Return settings and folder of a new or continued run, and say what it is.

    Parameters
    ----------
    options
        Of experiments.run.
    resolve
        Gives the settings that options ask for, and why they have their scale.
    resume_settings
        Gives those of the run in a folder, after checking the options against them.
    default_directory
        Gives the folder of a run if the options name none.

    Raises
    ------
    CheckpointError
        If the folder holds another run than the options say, or none.
    ConfigError
        If options contradict each other.
    """
    if options.resume:
        directory = folder_to_resume(options, lambda: default_directory(resolve(options)[0]))
        settings = resume_settings(options, directory)
        reason = f"as saved in {directory.config}"
    else:
        settings, reason = resolve(options)
        directory = RunDirectory(options.run_dir or default_directory(settings))
        directory.require_unused()
    print(f"{settings.experiment} at {settings.scale} scale: {reason}")
    return settings, directory


def folder_to_resume(options: PlaceOptions, default: Callable[[], Path]) -> RunDirectory:
    """Return the folder of the run to continue.

    Parameters
    ----------
    options
        Of experiments.run; they may name the folder.
    default
        Gives the folder if they do not, from the other options.

    Raises
    ------
    CheckpointError
        If they do not, and there is no such folder.
    """
    if options.run_dir is not None:
        return RunDirectory(options.run_dir)
    path = default()
    if path.exists():
        return RunDirectory(path)
    unfinished = _unfinished(path.parent)
    if not unfinished:
        advice = f"no run in {path.parent} waits to be continued; leave --resume out to begin one"
    else:
        named = [f"\n    --resume --run-dir {folder}" for folder in unfinished[:_MOST_NAMED]]
        left = len(unfinished) - len(named)
        advice = (
            "repeat the options that the run was begun with, or name its folder; these are not "
            f"finished:{''.join(named)}" + (f"\n    and {left} more" if left else "")
        )
    raise CheckpointError(f"{path}: expected a run to continue, found none; {advice}")


def _unfinished(parent: Path) -> list[Path]:
    """Return the folders of runs that can be continued, the latest first."""
    files = [
        # Of a staged run an earlier stage may be all that there is.
        *parent.glob("*/checkpoints/last.pt"),
        *parent.glob("*/stages/*/checkpoints/last.pt"),
    ]
    files.sort(key=lambda file: file.stat().st_mtime, reverse=True)
    folders = dict.fromkeys(parent / file.relative_to(parent).parts[0] for file in files)
    return [folder for folder in folders if not RunDirectory(folder).summary.exists()]
