"""Score a trained run under other conditions: ``python -m experiments.evaluate RUN_DIR``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import tyro

from experiments.assembly import build_objective, check_same_frames, evaluation_file
from experiments.cli import (
    Count,
    File,
    Number,
    Text,
    provenance,
    run_command,
)
from experiments.config import FrameExperiment
from experiments.options import to_score
from experiments.pictures import draw_pictures
from experiments.scores import score_table, test_scores
from experiments.sources import asked_objects, check_one_source, file_to_test, or_default
from inference import ALONE, RunDirectory, load_checkpoint, load_weights
from pyro_nem.data import HDF5Frames
from pyro_nem.errors import ConfigError
from pyro_nem.files import make_directory, write_json

__all__ = ["EvaluateOptions", "main"]

_PROGRAM = "experiments.evaluate"


@dataclass(frozen=True)
class EvaluateOptions:
    """Score the weights of a run, under its own conditions or others.

    The weights depend neither on the number of components nor on the number of steps, so a model
    trained with some can be tested with others. Scores and figures go to RUN_DIR/evaluations/.
    """

    run_dir: tyro.conf.Positional[Path]
    """Folder of the run."""

    components: Count = None
    """K to test with. Default: as trained."""

    steps: Count = None
    """T to test with. Default: as trained."""

    frames: Count = None
    """Frames of each generated sequence; 1 for static images, shown at every step. Default: as
    trained, or more if the steps need them."""

    objects: Count = None
    """Objects in each generated sequence. Default: as trained."""

    most_objects: Count = None
    """Balls and sprites: from --objects to this many in each video. Default: as trained; --objects
    alone asks for so many in each."""

    data: File = None
    """An HDF5 file in the published layout to test on."""

    data_dir: File = None
    """Folder of the papers' own files, in which that of the experiment and --objects is found."""

    split: Literal["training", "validation", "test"] = "test"
    """Which split of the file."""

    sequences: Count = None
    """Number of sequences to score. Default: as many as the run scores at its end."""

    noise: Number = None
    """Probability that a pixel of the guide's input is flipped; 0 for none. Default: as trained."""

    particles: Count = None
    """Draws for each sequence in the importance-weighted bound (guide vrnn). Default: as at the
    end of the run."""

    checkpoint: Literal["best", "last"] = "best"
    """The weights of the lowest validation loss, or the latest."""

    name: Text = None
    """Name of the evaluation's files. Default: made from the conditions."""

    device: Text = None
    """cpu, cuda or cuda:N. Default: CUDA where there is one."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(EvaluateOptions, lambda options: _evaluate(options, given), _PROGRAM, given)


def _evaluate(options: EvaluateOptions, arguments: list[str]) -> int:
    directory = RunDirectory(options.run_dir)
    trained = FrameExperiment.from_dict(directory.read_settings(), str(directory.config))
    settings = _conditions(options, trained)
    path = evaluation_file(settings, trained, options.split)
    checkpoint = directory.best if options.checkpoint == "best" else directory.last
    state = load_checkpoint(checkpoint)
    with HDF5Frames(path, options.split, settings.test_sequences) as source:
        check_same_frames(source, directory)
        _check_sequences(options, source)
        objective = build_objective(settings, source.image_shape)
        load_weights(objective, state["evaluated"], checkpoint)
        print(
            f"{directory.path}, {checkpoint.name} of update {state['update']}: K = "
            f"{settings.components}, T = {settings.steps}, {source.name}"
        )
        scores = test_scores(objective, settings, source, ALONE)
        print(score_table(scores))
        folder = make_directory(directory.path / "evaluations")
        name = options.name or _name(options, settings)
        summary = {
            "split": options.split,
            "components": settings.components,
            "steps": settings.steps,
            "data": source.name,
            "update": state["update"],
            **{f"{options.split}.{metric}": value for metric, value in scores.metrics.items()},
            f"{options.split}.sequences": scores.sequences,
            "errors": scores.errors,
            "per_step": scores.per_step,
            "per_step_errors": scores.per_step_errors,
            "per_component": scores.per_component,
            **provenance(_PROGRAM, arguments, settings.device),
        }
        write_json(folder / f"{name}.json", summary)
        draw_pictures(objective, settings, {name: source}, [], folder)
    print(f"written to {folder / name}.json")
    return 0


def _check_sequences(options: EvaluateOptions, source: HDF5Frames) -> None:
    if options.sequences is not None and options.sequences > source.num_sequences:
        raise ConfigError(
            f"--sequences: {source.name} holds {source.num_sequences} sequences, fewer than the "
            f"{options.sequences} that are asked for"
        )


def _conditions(options: EvaluateOptions, trained: FrameExperiment) -> FrameExperiment:
    """Return the settings of the run with the options' changes."""
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


def _name(options: EvaluateOptions, settings: FrameExperiment) -> str:
    frames = "" if options.frames is None else f"-frames{options.frames}"
    noise = "" if options.noise is None else f"-noise{options.noise}"
    return (
        f"{options.split}-{settings.data_name}-k{settings.components}-t{settings.steps}{frames}{noise}"
        f"-{options.checkpoint}"
    )


if __name__ == "__main__":
    sys.exit(main())
