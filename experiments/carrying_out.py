"""Carrying out a run among its processes, with a word on how to go on when it is stopped."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiments.cli import INTERRUPTED, launcher, provenance
from inference import Processes, RunDirectory, joined
from pyro_nem.errors import ProcessError

__all__ = ["carry_out", "origin"]

_PROGRAM = "experiments.run"


def carry_out(
    work: Callable[[Processes], bool],
    device: str,
    experiment: str,
    directories: Sequence[RunDirectory],
    unsaved: Mapping[str, Any],
) -> int:
    """Do a run's work among the processes that torchrun started, and return the exit code.

    Parameters
    ----------
    work
        Trains and scores; returns False if it was interrupted.
    device
        That of the settings.
    experiment
        Its name, for the command that goes on.
    directories
        Folders of the run's stages, the run's own last.
    unsaved
        The options that were given and are not among the settings, by field.
    """
    advice = functools.partial(_how_to_go_on, experiment, directories, unsaved)
    try:
        with joined(device) as processes:
            finished = work(processes)
            if not finished:
                # Within, because torchrun stops the processes that are left when one has ended.
                print(f"interrupted; {advice()}")
    except KeyboardInterrupt:
        print(f"interrupted; {advice()}")
        return INTERRUPTED
    except ProcessError as error:
        raise ProcessError(f"{error}; {advice()}") from error
    return 0 if finished else INTERRUPTED


def _how_to_go_on(
    experiment: str, directories: Sequence[RunDirectory], unsaved: Mapping[str, Any]
) -> str:
    if not any(directory.last.exists() for directory in directories):
        return "the training had not begun, so start again"
    folder = str(directories[-1].path)
    resume = [*launcher(_PROGRAM), experiment, "--resume", "--run-dir", folder]
    for name, value in unsaved.items():
        resume += ["--" + name.replace("_", "-"), str(value)]
    return f"continue with\n    {shlex.join(resume)}"


def origin(
    resume: bool, directory: RunDirectory, arguments: Sequence[str], device: str
) -> dict[str, Any]:
    """Return where a result comes from; a resumed run's is the command that began it."""
    found = provenance(_PROGRAM, arguments, device)
    if resume:
        began = directory.read_config()
        found["command"] = began["command"]
        if began["commit"] != found["commit"]:
            found["commit"] = f"{began['commit']}, resumed at {found['commit']}"
    return found
