"""Train an experiment and score it: ``python -m experiments.run flying_shapes``."""

from __future__ import annotations

import shlex
import sys
import time
from typing import Any

from experiments.assembly import build_objective, data_file
from experiments.cli import INTERRUPTED, launcher, provenance, run_command, use_threads
from experiments.config import FrameExperiment
from experiments.options import default_run_directory, resolve, resume_settings
from experiments.pictures import draw_pictures
from experiments.run_options import RunOptions
from experiments.scores import score_table, test_scores
from inference import (
    Execution,
    NEMObjective,
    Processes,
    RunDirectory,
    check_source,
    duration,
    fit_objective,
    joined,
)
from pyro_nem.data import HDF5Frames
from pyro_nem.errors import ProcessError
from pyro_nem.files import write_json

__all__ = ["main"]

_PROGRAM = "experiments.run"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0 after a finished run, 2 after an error, 130 after Ctrl-C or SIGTERM.
    """
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(RunOptions, lambda options: _run(options, given), _PROGRAM, given)


def _run(options: RunOptions, arguments: list[str]) -> int:
    use_threads(options.threads)
    settings, directory = _open(options)
    try:
        with joined(settings.device) as processes:
            finished = _train_and_score(options, settings, directory, arguments, processes)
            if not finished:
                # Within, because torchrun stops the processes that are left when one has ended.
                print(f"interrupted; {_how_to_go_on(settings, directory)}")
    except KeyboardInterrupt:
        print(f"interrupted; {_how_to_go_on(settings, directory)}")
        return INTERRUPTED
    except ProcessError as error:
        raise ProcessError(f"{error}; {_how_to_go_on(settings, directory)}") from error
    return 0 if finished else INTERRUPTED


def _how_to_go_on(settings: FrameExperiment, directory: RunDirectory) -> str:
    if not directory.last.exists():
        return "the training had not begun, so start again"
    resume = [*launcher(_PROGRAM), settings.experiment, "--resume", "--run-dir"]
    return f"continue with\n    {shlex.join([*resume, str(directory.path)])}"


def _train_and_score(
    options: RunOptions,
    settings: FrameExperiment,
    directory: RunDirectory,
    arguments: list[str],
    processes: Processes,
) -> bool:
    """Do the run; return False if it was interrupted."""
    started = time.perf_counter()
    # Before data are generated, which may take long.
    processes.share.size(settings.training.batch_size)
    path = data_file(settings)
    with (
        HDF5Frames(path, "training", settings.training_sequences) as training,
        HDF5Frames(path, "validation", settings.validation_sequences) as validation,
        HDF5Frames(path, "test", settings.test_sequences) as test,
    ):
        objective = build_objective(settings, training.image_shape)
        check_source(objective, test, settings.steps)
        _introduce(settings, objective, training)
        source = _source(options, settings, directory, arguments)
        prepared = time.perf_counter() - started
        run = fit_objective(
            objective,
            training,
            validation,
            steps=settings.steps,
            noise=settings.noise,
            config=settings.training,
            directory=directory,
            description={
                "settings": settings.to_dict(),
                "image_shape": training.image_shape,
                **source,
            },
            resume=options.resume,
            execution=settings.execution,
            processes=processes,
        )
        if run.reason == "interrupted":
            return False
        trained = time.perf_counter()
        print(f"scoring {test.num_sequences:,} test sequences")
        scores = test_scores(objective, settings, test, processes)
        if not processes.writes:
            return True
        print(score_table(scores))
        print("drawing figures")
        draw_pictures(
            objective,
            settings,
            {"train": training, "test": test},
            run.records,
            directory.figures,
        )
    seconds = prepared + run.seconds + time.perf_counter() - trained
    summary = {
        "experiment": settings.experiment,
        **{f"test.{name}": value for name, value in scores.metrics.items()},
        "test.sequences": scores.sequences,
        "per_step": scores.per_step,
        "per_component": scores.per_component,
        "updates": run.updates,
        "stopped": run.reason,
        "parameters": sum(p.numel() for p in objective.parameters()),
        "wall_seconds": round(seconds, 1),
        "seed": settings.training.seed,
        **source,
    }
    write_json(directory.summary, summary)
    print(f"done in {duration(seconds)}; everything is in {directory.path}")
    return True


def _source(
    options: RunOptions,
    settings: FrameExperiment,
    directory: RunDirectory,
    arguments: list[str],
) -> dict[str, Any]:
    """Return where a result comes from; a resumed run's is the command that began it."""
    source = provenance(_PROGRAM, arguments, settings.device)
    if options.resume:
        began = directory.read_config()
        source["command"] = began["command"]
        if began["commit"] != source["commit"]:
            source["commit"] = f"{began['commit']}, resumed at {source['commit']}"
    return source


def _open(options: RunOptions) -> tuple[FrameExperiment, RunDirectory]:
    """Return the settings and the folder of a new or continued run."""
    if options.resume:
        path = options.run_dir or default_run_directory(resolve(options)[0])
        directory = RunDirectory(path)
        settings = resume_settings(options, directory)
        reason = f"as saved in {directory.config}"
    else:
        settings, reason = resolve(options)
        directory = RunDirectory(options.run_dir or default_run_directory(settings))
        directory.require_unused()
    print(f"{settings.experiment} at {settings.scale} scale: {reason}")
    return settings, directory


def _introduce(settings: FrameExperiment, objective: NEMObjective, training: HDF5Frames) -> None:
    parameters = sum(p.numel() for p in objective.parameters())
    print(
        f"{settings.guide} with the {settings.network} network, {parameters:,} parameters; "
        f"K = {settings.components} components, T = {settings.steps} steps; "
        f"{training.num_sequences:,} training sequences; on {settings.device}"
        f"{_how(settings.execution)}"
    )
    if settings.guide == "n-em" and training.num_frames > 1:
        print(
            "note: gradient N-EM has no model of motion; on videos the paper uses RNN-EM "
            "(--guide rnn-em)"
        )


def _how(execution: Execution) -> str:
    """Return what is not as on any device, for a line."""
    words: list[str] = [] if execution.precision == "float32" else [execution.precision]
    named = {
        "compiled": execution.compile,
        "captured": execution.capture,
        "frames on the device": execution.resident,
    }
    words += [name for name, chosen in named.items() if chosen]
    return "".join(f", {word}" for word in words)


if __name__ == "__main__":
    sys.exit(main())
