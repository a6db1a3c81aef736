"""Train a model of sequences and score it: ``python -m experiments.run chorales``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from experiments.carrying_out import carry_out, origin
from experiments.cli import run_command, use_threads
from experiments.evaluations import check_count
from experiments.opening import open_folder
from experiments.report import write_report
from experiments.report.wording import plural
from experiments.resolving import given
from experiments.scale import TEST_SEED
from experiments.sequences.assembly import build_objective
from experiments.sequences.config import SequenceExperiment
from experiments.sequences.load_data import load_data
from experiments.sequences.options import SequenceOptions
from experiments.sequences.pictures import draw_pictures
from experiments.sequences.posterior import save_posterior
from experiments.sequences.resolving import default_directory, resolve, resume_settings
from experiments.sequences.score_table import score_table, summary_floors, summary_scores
from experiments.sequences.sequence_data import SequenceData
from inference import Processes, RunDirectory, duration
from inference.sequences import (
    SequenceObjective,
    SequenceRun,
    SequenceScores,
    fit_sequences,
    score_sequences,
)
from pyro_nem.data import SequenceSet
from pyro_nem.files import write_json

__all__ = ["run_sequences"]

_PROGRAM = "experiments.run"


def run_sequences(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code; see :func:`experiments.run.main`."""
    return run_command(
        SequenceOptions, lambda options: _run(options, list(arguments)), _PROGRAM, arguments
    )


def _run(options: SequenceOptions, arguments: list[str]) -> int:
    use_threads(options.threads)
    settings, directory = open_folder(options, resolve, resume_settings, default_directory)
    return carry_out(
        lambda processes: _train_and_score(settings, directory, options, arguments, processes),
        settings.device,
        settings.experiment,
        [directory],
        given(options, ("threads", "posterior_sequences")),
    )


def _train_and_score(
    settings: SequenceExperiment,
    directory: RunDirectory,
    options: SequenceOptions,
    arguments: list[str],
    processes: Processes,
) -> bool:
    """Train, score and draw; return False if it was interrupted."""
    started = time.perf_counter()
    processes.share.size(settings.training.batch_size)
    # One process downloads what is missing; data are too large to be sent to the others.
    data = processes.one_then_all(lambda: load_data(settings))
    scored = f"what is scored of {data.test.name}"
    check_count("--posterior-sequences", options.posterior_sequences, len(data.test), scored)
    objective = build_objective(settings, data)
    chunk = settings.chunk
    pieces = data.training if chunk is None else data.training.pieces(chunk)
    _introduce(settings, objective, pieces)
    begun = origin(options.resume, directory, arguments, settings.device)
    prepared = time.perf_counter() - started
    run = fit_sequences(
        objective,
        pieces,
        data.validation,
        config=settings.training,
        schedule=settings.schedule,
        directory=directory.path,
        description={"settings": settings.to_dict(), **begun},
        resume=options.resume,
        processes=processes,
    )
    if run.reason == "interrupted":
        return False
    trained = time.perf_counter()
    print(f"scoring {len(data.test)} test sequences")
    scores = score_sequences(
        objective,
        data.test,
        particles=settings.particles,
        seed=TEST_SEED + settings.training.seed,
        processes=processes,
    )
    if not processes.writes:
        return True
    floors = data.floors(data.test)
    print(score_table(scores, floors, data.readings))
    described = save_posterior(
        objective, settings, data.test, directory.posterior, sequences=options.posterior_sequences
    )
    print("drawing figures")
    draw_pictures(objective, data, run.records, directory.figures)
    seconds = prepared + run.seconds + time.perf_counter() - trained
    summary = _summary(settings, run, scores, data, floors, seconds, begun)
    write_json(directory.summary, {**summary, "posterior_sequences": described})
    write_report(directory, directory.report)
    print(f"done in {duration(seconds)}; everything is in {directory.path}, see {directory.report}")
    return True


def _summary(
    settings: SequenceExperiment,
    run: SequenceRun,
    scores: SequenceScores,
    data: SequenceData,
    floors: dict[str, float],
    seconds: float,
    begun: dict[str, Any],
) -> dict[str, Any]:
    """Return the content of ``summary.json``."""
    return {
        "experiment": settings.experiment,
        **summary_scores(scores, "test", data.readings),
        **summary_floors(floors, data.readings),
        **data.facts(),
        "updates": run.updates,
        "stopped": run.reason,
        "parameters": sum(p.numel() for p in run.objective.parameters()),
        "wall_seconds": round(seconds, 1),
        "seed": settings.training.seed,
        **begun,
    }


def _introduce(
    settings: SequenceExperiment, objective: SequenceObjective, pieces: SequenceSet
) -> None:
    parameters = sum(p.numel() for p in objective.parameters())
    data = settings.tunes or settings.corpus or settings.experiment
    latents = f"H = {settings.latent_size} latents, " if settings.latent_size else ""
    print(
        f"{settings.model} on {data}, {parameters:,} parameters; {latents}"
        f"G = {settings.hidden_size}; objective {settings.bound.objective} with "
        f"{plural(settings.bound.particles, 'particle')}; "
        f"{plural(len(pieces), 'training sequence')}, {pieces.num_steps:,} steps in all; on "
        f"{settings.device}"
    )
