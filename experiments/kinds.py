"""The kinds of experiments: on frames, on sequences and on images."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from experiments.frames.assembly import data_file
from experiments.frames.config import ExperimentName, FrameExperiment
from experiments.frames.options import resolve as resolve_frames
from experiments.frames.run_names import default_run_directory
from experiments.frames.run_options import RunOptions
from experiments.frames.stages import stages
from experiments.images import ImageExperimentName
from experiments.images.assembly import load_data as load_images
from experiments.images.config import ImageExperiment
from experiments.images.options import ImageOptions
from experiments.images.resolving import default_directory as image_directory
from experiments.images.resolving import resolve as resolve_images
from experiments.sequences import SequenceExperimentName
from experiments.sequences.config import SequenceExperiment
from experiments.sequences.load_data import load_data as load_sequences
from experiments.sequences.options import SequenceOptions
from experiments.sequences.resolving import default_directory as sequence_directory
from experiments.sequences.resolving import resolve as resolve_sequences
from inference import RunDirectory

__all__ = ["FRAMES", "IMAGES", "SEQUENCES", "AnyExperimentName", "Kind", "Settings", "kind_of"]

AnyExperimentName = Literal[ExperimentName, SequenceExperimentName, ImageExperimentName]
"""What experiments.run runs."""

Settings = FrameExperiment | SequenceExperiment | ImageExperiment
"""The resolved settings of a run."""


@dataclass(frozen=True)
class Kind:
    """What has to be known of a kind of experiments to start and to list their runs."""

    names: tuple[str, ...]
    """The experiments."""

    options: type[Any]
    """The options that experiments.run takes for them."""

    settings: type[Any]
    """What these become."""

    resolve: Callable[[Any], tuple[Any, str]]
    """From options to settings, and why these have their scale."""

    folder: Callable[[Any], Path]
    """From settings to the folder that experiments.run chooses."""

    prepare: Callable[[Any, RunDirectory], object]
    """Generate or download the data of a run, if they are missing."""

    data: Callable[[Any], Hashable]
    """From settings to what tells data from others; runs that agree need them prepared once."""


def _prepare_frames(settings: FrameExperiment, directory: RunDirectory) -> None:
    for stage in stages(settings, directory):
        data_file(stage.settings)


FRAMES: Final = Kind(
    get_args(ExperimentName),
    RunOptions,
    FrameExperiment,
    resolve_frames,
    default_run_directory,
    _prepare_frames,
    lambda s: (s.experiment, s.scale, s.data, s.data_name, s.staged, s.frames, s.test_sequences),
)
SEQUENCES: Final = Kind(
    get_args(SequenceExperimentName),
    SequenceOptions,
    SequenceExperiment,
    resolve_sequences,
    sequence_directory,
    lambda settings, _: load_sequences(settings),
    lambda s: (s.experiment, s.tunes, s.corpus, s.data_dir, s.normalisation),
)
IMAGES: Final = Kind(
    get_args(ImageExperimentName),
    ImageOptions,
    ImageExperiment,
    resolve_images,
    image_directory,
    lambda settings, _: load_images(settings),
    lambda s: s.binarization,
)


def kind_of(experiment: str) -> Kind:
    """Return the kind of an experiment."""
    return next(kind for kind in (FRAMES, SEQUENCES, IMAGES) if experiment in kind.names)
