"""The settings and the folder of a run that is begun or continued."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from experiments.place_options import PlaceOptions
from inference import RunDirectory

__all__ = ["open_folder"]


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
        If the folder holds another run than the options say.
    ConfigError
        If options contradict each other.
    """
    if options.resume:
        directory = RunDirectory(options.run_dir or default_directory(resolve(options)[0]))
        settings = resume_settings(options, directory)
        reason = f"as saved in {directory.config}"
    else:
        settings, reason = resolve(options)
        directory = RunDirectory(options.run_dir or default_directory(settings))
        directory.require_unused()
    print(f"{settings.experiment} at {settings.scale} scale: {reason}")
    return settings, directory
