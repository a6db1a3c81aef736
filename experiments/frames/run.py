"""Train a mixture on frames and score it: ``python -m experiments.run flying_shapes``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from experiments.carrying_out import carry_out, origin
from experiments.cli import run_command, use_threads
from experiments.evaluations import check_count
from experiments.frames.assembly import build_objective, data_file
from experiments.frames.config import FrameExperiment
from experiments.frames.finish import finish
from experiments.frames.options import resolve, resume_settings
from experiments.frames.run_names import default_run_directory
from experiments.frames.run_options import RunOptions
from experiments.frames.stages import Stage, begin_with, plan, stages
from experiments.opening import folder_to_resume
from experiments.resolving import given
from experiments.sweeping.run_state import RunState, stage_state
from inference import (
    Execution,
    NEMObjective,
    Processes,
    RunDirectory,
    check_source,
    fit_objective,
)
from pyro_nem.data import HDF5Frames
from pyro_nem.files import make_directory, write_json

__all__ = ["run_frames"]

_PROGRAM = "experiments.run"


def run_frames(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code; see :func:`experiments.run.main`."""
    return run_command(
        RunOptions, lambda options: _run(options, list(arguments)), _PROGRAM, arguments
    )


def _run(options: RunOptions, arguments: list[str]) -> int:
    use_threads(options.threads)
    parts = _open(options)
    return carry_out(
        lambda processes: _do(parts, options, arguments, processes),
        parts[-1].settings.device,
        parts[-1].settings.experiment,
        [stage.directory for stage in parts],
        given(options, ("threads", "posterior_sequences")),
    )


def _do(
    parts: list[Stage], options: RunOptions, arguments: list[str], processes: Processes
) -> bool:
    """Do what is left of a run; return False if it was interrupted."""
    last = parts[-1]
    if len(parts) == 1:
        begun = origin(options.resume, last.directory, arguments, last.settings.device)
        return _train_and_score(last, options, options.resume, begun, processes)
    begun = processes.once(lambda: _begin(parts, options, arguments))
    for stage in parts:
        name = f"stage {stage.settings.variant}"
        state = _agreed_state(stage, processes)
        if state == "finished" and stage is not last:
            print(f"{name}: finished, in {stage.directory.path}")
            continue
        print(f"{name}: {stage.directory.path}")
        if not _train_and_score(stage, options, state != "new", begun, processes):
            return False
    return True


def _agreed_state(stage: Stage, processes: Processes) -> RunState:
    # One process looks, as others may have no access to the folder.
    return processes.once(lambda: stage_state(stage.settings, stage.directory))


def _begin(parts: list[Stage], options: RunOptions, arguments: list[str]) -> dict[str, Any]:
    """Return where a staged run comes from; of a new one, write what is needed to resume it."""
    settings, directory, _ = parts[-1]
    folder = plan(directory)
    if options.resume:
        # The plans of earlier versions are without the command.
        known = [
            each
            for each in (folder, *(stage.directory for stage in parts))
            if each.config.exists() and "command" in each.read_config()
        ]
        return origin(bool(known), next(iter(known), directory), arguments, settings.device)
    begun = origin(False, directory, arguments, settings.device)
    make_directory(folder.path)
    write_json(folder.config, {"settings": settings.to_dict(), **begun})
    return begun


def _train_and_score(
    stage: Stage,
    options: RunOptions,
    resume: bool,
    begun: dict[str, Any],
    processes: Processes,
) -> bool:
    """Do a stage; return False if it was interrupted."""
    settings, directory, before = stage
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
        if not resume:
            # A run of an earlier version may hold more than there are, and goes on.
            check_count("--test-sequences", options.test_sequences, test.num_sequences, test.name)
        scored = f"what is scored of {test.name}"
        check_count(
            "--posterior-sequences", options.posterior_sequences, test.num_sequences, scored
        )
        _introduce(settings, objective, training)
        if before is not None and not resume:
            begin_with(objective, before, processes)
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
                **begun,
            },
            resume=resume,
            execution=settings.execution,
            processes=processes,
        )
        if run.reason == "interrupted":
            return False
        finish(
            stage,
            run,
            {"train": training, "validation": validation, "test": test},
            processes,
            posterior_sequences=options.posterior_sequences,
            prepared=prepared,
            origin=begun,
        )
    return True


def _open(options: RunOptions) -> list[Stage]:
    """Return the stages of a new or continued run."""
    if options.resume:
        directory = folder_to_resume(options, lambda: default_run_directory(resolve(options)[0]))
        # The last stage of a staged run may not have begun.
        held = plan(directory) if plan(directory).config.exists() else directory
        settings = resume_settings(options, held)
        reason = f"as saved in {held.config}"
        parts = stages(settings, directory)
    else:
        settings, reason = resolve(options)
        directory = RunDirectory(options.run_dir or default_run_directory(settings))
        parts = stages(settings, directory)
        for stage in parts:
            stage.directory.require_unused()
    print(f"{settings.experiment} at {settings.scale} scale: {reason}")
    return parts


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
