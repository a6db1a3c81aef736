"""Train an experiment and score it: ``python -m experiments.run flying_shapes``."""

from __future__ import annotations

import sys
import time

import torch

from experiments.assembly import build_objective, data_file, open_split
from experiments.cli import provenance, run_command
from experiments.config import FrameExperiment
from experiments.options import (
    RunOptions,
    default_run_directory,
    resolve,
    resume_settings,
)
from experiments.pictures import draw_pictures
from experiments.scores import score_table, test_scores
from inference import NEMObjective, RunDirectory, duration, fit_objective
from pyro_nem.data import HDF5Frames
from pyro_nem.files import write_json

__all__ = ["main"]

_PROGRAM = "experiments.run"
_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0 after a finished run, 2 after an error, 130 after Ctrl-C or SIGTERM.
    """
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(RunOptions, lambda options: _run(options, given), _PROGRAM, given)


def _run(options: RunOptions, arguments: list[str]) -> int:
    started = time.perf_counter()
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    settings, directory = _open(options)
    path = data_file(settings)
    with (
        open_split(path, "training", settings.training_sequences) as training,
        open_split(path, "validation", settings.validation_sequences) as validation,
        open_split(path, "test", settings.test_sequences) as test,
    ):
        objective = build_objective(settings, training.image_shape)
        _introduce(settings, objective, training)
        if not options.resume:
            source = provenance(_PROGRAM, arguments, settings.device)
            directory.create({"settings": settings.to_dict(), **source})
        prepared = time.perf_counter() - started
        run = fit_objective(
            objective,
            training,
            validation,
            steps=settings.steps,
            noise=settings.noise,
            config=settings.training,
            directory=directory,
            resume=options.resume,
        )
        if run.reason == "interrupted":
            print(
                f"interrupted at update {run.updates}; continue with\n    "
                f"python -m {_PROGRAM} {settings.experiment} --resume --run-dir {directory.path}"
            )
            return _INTERRUPTED
        print(f"scoring {test.num_sequences:,} test sequences")
        scoring = time.perf_counter()
        scores = test_scores(objective, settings, test)
        seconds = float(run.records[-1]["seconds"]) + prepared + time.perf_counter() - scoring
        summary = {
            "experiment": settings.experiment,
            **{f"test.{name}": value for name, value in scores.metrics.items()},
            "test.sequences": scores.sequences,
            "per_step": scores.per_step,
            "updates": run.updates,
            "stopped": run.reason,
            "parameters": sum(p.numel() for p in objective.parameters()),
            "wall_seconds": round(seconds, 1),
            "seed": settings.training.seed,
            **provenance(_PROGRAM, arguments, settings.device),
        }
        write_json(directory.summary, summary)
        print(score_table(scores))
        print("drawing figures")
        draw_pictures(
            objective,
            settings,
            {"train": training, "test": test},
            run.records,
            directory.figures,
        )
    print(f"done in {duration(seconds)}; everything is in {directory.path}")
    return 0


def _open(options: RunOptions) -> tuple[FrameExperiment, RunDirectory]:
    """Return the settings and the folder of a new or continued run."""
    if options.resume and options.run_dir is not None:
        directory = RunDirectory(options.run_dir)
        settings = resume_settings(options, directory)
        reason = f"as saved in {directory.config}"
    else:
        settings, reason = resolve(options)
        directory = RunDirectory(options.run_dir or default_run_directory(settings))
        if options.resume:
            settings = resume_settings(options, directory)
    if not options.resume:
        directory.require_unused()
    print(f"{settings.experiment} at {settings.scale} scale: {reason}")
    return settings, directory


def _introduce(settings: FrameExperiment, objective: NEMObjective, training: HDF5Frames) -> None:
    parameters = sum(p.numel() for p in objective.parameters())
    print(
        f"{settings.guide} with the {settings.network} network, {parameters:,} parameters; "
        f"K = {settings.components} components, T = {settings.steps} steps; "
        f"{training.num_sequences:,} training sequences; on {settings.device}"
    )
    if settings.guide == "n-em" and training.num_frames > 1:
        print(
            "note: gradient N-EM has no model of motion; on videos the paper uses RNN-EM "
            "(--guide rnn-em)"
        )


if __name__ == "__main__":
    sys.exit(main())
