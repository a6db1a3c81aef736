"""The stages of a run: one, or of a staged run three, each with more digits to train on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple, get_args

from experiments.frames.config import FrameExperiment, Variant
from experiments.frames.defaults import at_variant
from experiments.frames.published_files import published_file
from inference import NEMObjective, Processes, RunDirectory, load_checkpoint, load_weights

__all__ = ["Stage", "begin_with", "earlier_stages", "plan", "stages"]

_LAST: Final = "full"


class Stage(NamedTuple):
    """A training of its own, in a folder that is a run's like any other.

    Attributes
    ----------
    settings
        What it trains.
    directory
        Its folder.
    before
        The folder of the stage whose best weights it begins with, None for new weights.
    """

    settings: FrameExperiment
    directory: RunDirectory
    before: RunDirectory | None = None


def stages(settings: FrameExperiment, directory: RunDirectory) -> list[Stage]:
    """Return the stages of a run, first to last.

    Parameters
    ----------
    settings
        Those of the run, which are those of the last stage.
    directory
        Its folder. The last stage is there, earlier ones in ``stages/20`` and ``stages/500``.

    Raises
    ------
    ConfigError
        If a stage's file was not published.
    DataError
        If it is not beside that of the last stage.
    """
    earlier = earlier_stages(settings, directory)
    if not earlier:
        return [Stage(settings, directory)]
    found: list[Stage] = []
    for variant, own in {**earlier, _LAST: directory}.items():
        before = found[-1].directory if found else None
        found.append(Stage(_of_variant(settings, variant), own, before))
    return found


def earlier_stages(
    settings: FrameExperiment, directory: RunDirectory
) -> dict[Variant, RunDirectory]:
    """Return the folders of the stages before the last, first to last, by the digits they train on.

    There are none for a run of one stage. No data are looked for.
    """
    # A stage of another run is a single one when it is resumed by itself.
    if not settings.staged or settings.variant != _LAST:
        return {}
    variants: tuple[Variant, ...] = get_args(Variant)
    return {name: RunDirectory(plan(directory).path / name) for name in variants if name != _LAST}


def _of_variant(settings: FrameExperiment, variant: Variant) -> FrameExperiment:
    """Return the settings of a stage; published files of all stages are in one folder."""
    own = at_variant(settings, variant)
    if settings.data is None:
        return own
    file = published_file(
        Path(settings.data).parent,
        own.experiment,
        objects=own.objects,
        variant=variant,
        frames=own.frames,
    )
    return replace(own, data=str(file))


def plan(directory: RunDirectory) -> RunDirectory:
    """Return the folder of the earlier stages; its config.json is that of the run as a whole.

    It has the settings of the last stage and the command that began the first.
    """
    return RunDirectory(directory.path / "stages")


def begin_with(objective: NEMObjective, before: RunDirectory, processes: Processes) -> None:
    """Load the best weights of the stage before.

    Raises
    ------
    CheckpointError
        If they are missing, corrupt or of another architecture.
    """
    best = processes.once(lambda: load_checkpoint(before.best))
    load_weights(objective, best["evaluated"], before.best)
