"""Which data options ask for: generated ones, a file, or a published one in a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from experiments.frames.config import FrameExperiment
from experiments.frames.published_files import published_file
from experiments.resolving import or_default, path_digits
from pyro_nem.errors import ConfigError

__all__ = [
    "SourceOptions",
    "asked_file",
    "asked_objects",
    "check_one_source",
    "file_to_test",
    "tested_name",
]


class SourceOptions(Protocol):
    """What the options of every command on data have; None is an option left out."""

    @property
    def data(self) -> Path | None:
        """A file."""

    @property
    def data_dir(self) -> Path | None:
        """A folder of published files."""

    @property
    def objects(self) -> int | None:
        """Objects in each sequence, or the fewest of them."""

    @property
    def most_objects(self) -> int | None:
        """The most objects in a sequence."""


def check_one_source(options: SourceOptions, *, frames: int | None = None) -> None:
    """Check that data are not asked for twice, as a file and in another way.

    Parameters
    ----------
    options
        Those of the command.
    frames
        Frames of a generated sequence, if the command was asked for a number of them; 1 finds
        published still images too.

    Raises
    ------
    ConfigError
        If they are.
    """
    files = options.data is not None or (options.data_dir is not None and frames != 1)
    if frames is not None and files:
        raise ConfigError(
            "--frames: describes generated data, but --data and --data-dir bring their own; leave "
            "one of them out (--frames 1 --data-dir finds the published still images)"
        )
    if options.data is None:
        return
    if options.data_dir is not None:
        raise ConfigError(
            "--data names a file, and --data-dir a folder in which to find one; leave one of them "
            "out"
        )
    if options.objects is not None or options.most_objects is not None:
        raise ConfigError(
            "--objects and --most-objects describe generated or published data, but --data brings "
            "its own; leave one of them out"
        )


def asked_objects(options: SourceOptions, trained: FrameExperiment) -> dict[str, Any]:
    """Return the fields of the objects to test with; a number alone asks for a fixed one."""
    if options.objects is None and options.most_objects is None:
        return {"objects": trained.objects, "most_objects": trained.most_objects}
    return {
        "objects": or_default(options.objects, trained.objects),
        "most_objects": options.most_objects,
    }


def asked_file(options: SourceOptions, settings: FrameExperiment) -> str | None:
    """Return the absolute path of the file that options ask for, None if it is none.

    So a run is continued and scored from anywhere. Of published files it is that for the objects,
    digits and frames of ``settings``.

    Raises
    ------
    ConfigError
        No such file was published.
    DataError
        It is not in the folder.
    """
    if options.data_dir is None:
        return None if options.data is None else os.path.abspath(options.data)
    file = published_file(
        options.data_dir,
        settings.experiment,
        objects=settings.objects,
        most_objects=settings.most_objects,
        variant=settings.variant,
        frames=settings.frames,
    )
    # A link to a published file keeps its name, which says what the file is.
    return os.path.abspath(file)


def file_to_test(
    options: SourceOptions,
    settings: FrameExperiment,
    trained: FrameExperiment,
    *,
    frames: int | None = None,
) -> str | None:
    """Return the file to test a run on, None for generated data.

    It is the one that options ask for, else that of the training.

    Parameters
    ----------
    options
        Those of the command.
    settings
        The conditions of the test.
    trained
        The settings of the run.
    frames
        Frames of a sequence, if the command was asked for a number of them.

    Raises
    ------
    ConfigError
        No such file was published, or other objects or frames than those of the training's file
        are asked for, but no file that has them.
    DataError
        It is not in the folder.
    """
    file = asked_file(options, settings)
    if file is not None or trained.data is None:
        return file
    others = {
        "--objects": options.objects,
        "--most-objects": options.most_objects,
        "--frames": frames,
    }
    given = [option for option, value in others.items() if value is not None]
    if given:
        raise ConfigError(
            f"{given[0]}: the run was trained on {trained.data}, in place of which nothing is "
            f"generated; give --data, another file, without {given[0]}, or --data-dir, the folder "
            "of the published files (for other objects, or still images by --frames 1)"
        )
    return trained.data


def tested_name(options: SourceOptions, settings: FrameExperiment) -> str:
    """Return a short name of the data that a run is tested on, for files.

    A file that ``--data`` names is told from others of its name by some digits.

    Parameters
    ----------
    options
        Those of the command.
    settings
        The conditions of the test.
    """
    if options.data is None:
        return settings.data_name
    return f"{settings.data_name}-{path_digits(os.path.abspath(options.data))}"
