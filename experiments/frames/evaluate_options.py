"""The options of ``python -m experiments.evaluate``, and the conditions that they ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import tyro

from experiments.cli import Count, Device, File, Number, Text, Threads
from experiments.frames.config import FrameExperiment
from experiments.frames.open_run import SplitName
from experiments.frames.options import to_score
from experiments.frames.sources import asked_objects, check_one_source, file_to_test, tested_name
from experiments.resolving import check_name, or_default
from pyro_nem.errors import ConfigError

__all__ = ["EvaluateOptions", "conditions", "evaluation_name"]


@dataclass(frozen=True)
class EvaluateOptions:
    """Score the weights of a run, under its own conditions or others.

    The weights depend neither on the number of components nor on the number of steps, so a model
    trained with some can be tested with others. Scores and figures go to RUN_DIR/evaluations/.
    """

    run_dir: tyro.conf.Positional[Path]
    """Folder of the run, or released weights: a name of the package's, as flying_shapes, or the
    file of others."""

    components: Count = None
    """K to test with. Default: as trained."""

    steps: Count = None
    """T to test with. Default: as trained."""

    frames: Count = None
    """Frames of each generated sequence; 1 for static images, shown at every step, of the papers'
    own if --data-dir is given. Default: as trained, or more if the steps need them."""

    objects: Count = None
    """Objects in each generated sequence. Default: as trained."""

    most_objects: Count = None
    """Balls and sprites: from --objects to this many in each video. Default: as trained; --objects
    alone asks for so many in each."""

    data: File = None
    """An HDF5 file in the published layout to test on."""

    data_dir: File = None
    """Folder of the papers' own files, in which that of the experiment, --objects and --frames 1 is
    found."""

    split: SplitName = "test"
    """Which split of the file."""

    sequences: Count = None
    """Number of sequences to score. Default: as many as the run scores at its end."""

    noise: Number = None
    """Probability that a pixel of the guide's input is flipped; of digits and sprites, that a
    channel of it is replaced by a random value; 0 for none. Default: as trained."""

    particles: Count = None
    """Draws for each sequence in the importance-weighted bound (guide vrnn). Default: as at the
    end of the run."""

    checkpoint: Literal["best", "last"] = "best"
    """The weights of the lowest validation loss, or the latest."""

    name: Text = None
    """Name of the evaluation's files. Default: made from the conditions."""

    device: Device = None

    threads: Threads = None

    def __post_init__(self) -> None:
        check_name("--name", self.name)


def conditions(options: EvaluateOptions, trained: FrameExperiment) -> FrameExperiment:
    """Return the settings of a run with the options' changes.

    Parameters
    ----------
    options
        Those of the command.
    trained
        The settings of the run.

    Raises
    ------
    ConfigError
        If an option is out of range, contradicts another or does not go with the run.
    DataError
        If a published file is not in the folder.
    """
    for name in ("sequences", "particles", "frames"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ConfigError(f"--{name}: expected at least 1, got {value}")
    check_one_source(options, frames=options.frames)
    steps = or_default(options.steps, trained.steps)
    frames = or_default(options.frames, trained.frames)
    if options.frames is None and frames > 1:
        frames = max(frames, steps + 1)
    if options.particles is not None and trained.guide != "vrnn":
        raise ConfigError(
            f"--particles: the states of guide {trained.guide} are point masses, of which draws "
            "are all alike; leave it out"
        )
    noise = trained.noise
    if options.noise is not None:
        noise = replace(noise, probability=options.noise)
    changed = replace(
        trained,
        components=or_default(options.components, trained.components),
        steps=steps,
        **asked_objects(options, trained),
        iwae_particles=or_default(options.particles, trained.iwae_particles),
        test_sequences=or_default(options.sequences, trained.test_sequences),
        frames=frames,
        noise=noise,
    )
    data = file_to_test(options, changed, trained, frames=options.frames)
    return to_score(replace(changed, data=data), options.device)


def evaluation_name(options: EvaluateOptions, settings: FrameExperiment) -> str:
    """Return the name of an evaluation's files, made from its conditions if none was given."""
    if options.name is not None:
        return options.name
    frames = "" if options.frames is None else f"-frames{options.frames}"
    noise = "" if options.noise is None else f"-noise{options.noise}"
    sequences = "" if options.sequences is None else f"-{options.sequences}sequences"
    particles = "" if options.particles is None else f"-{options.particles}particles"
    return (
        f"{options.split}-{tested_name(options, settings)}-k{settings.components}"
        f"-t{settings.steps}{frames}{noise}{sequences}{particles}-{options.checkpoint}"
    )
