"""Which data options ask for: generated ones, a file, or a published one in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from experiments.frames.config import FrameExperiment
from experiments.frames.published_files import published_file
from experiments.resolving import or_default
from pyro_nem.errors import ConfigError

__all__ = [
    "SourceOptions",
    "asked_file",
    "asked_objects",
    "check_one_source",
    "file_to_test",
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
        Frames of a generated sequence, if the command was asked for a number of them.

    Raises
    ------
    ConfigError
        If they are.
    """
    if frames is not None and (options.data is not None or options.data_dir is not None):
        raise ConfigError(
            "--frames: describes generated data, but --data and --data-dir bring their own; leave "
            "one of them out"
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
    """Return the file that options ask for, None if it is none.

    Of published files it is that for the objects, digits and frames of ``settings``.

    Raises
    ------
    ConfigError
        No such file was published.
    DataError
        It is not in the folder.
    """
    if options.data_dir is None:
        return None if options.data is None else str(options.data)
    file = published_file(
        options.data_dir,
        settings.experiment,
        objects=settings.objects,
        most_objects=settings.most_objects,
        variant=settings.variant,
        frames=settings.frames,
    )
    return str(file)


def file_to_test(
    options: SourceOptions,
    settings: FrameExperiment,
    trained: FrameExperiment,
    *,
    frames: int | None = None,
) -> str | None:
    """Return the file to test a run on, None for generated data.

    It is the one that options ask for, else that of the training; but other objects or ``frames``
    than a file's can only be generated. For the errors see :func:`asked_file`.
    """
    same = options.objects is None and options.most_objects is None and frames is None
    return asked_file(options, settings) or (trained.data if same else None)
