"""The end of a run: scores, posterior, figures, summary and report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from experiments.frames.pictures import draw_pictures
from experiments.frames.posterior import save_posterior
from experiments.frames.scores import score_table, test_scores
from experiments.frames.stages import Stage
from experiments.report import write_report
from inference import NEMObjective, Processes, Run, duration
from pyro_nem.data import FrameSource
from pyro_nem.files import write_json

__all__ = ["finish"]


def finish(
    stage: Stage,
    run: Run[NEMObjective],
    sources: Mapping[str, FrameSource],
    processes: Processes,
    *,
    posterior_sequences: int | None,
    prepared: float,
    origin: Mapping[str, Any],
) -> None:
    """Score a trained run and write what is left of its folder, the report last.

    Parameters
    ----------
    stage
        What was trained, and where.
    run
        How the training went; its objective has the best weights.
    sources
        The frames "train", "validation" and "test"; those of "validation" are not drawn.
    processes
        Those that share the scoring; the first one does the rest.
    posterior_sequences
        How many sequences ``posterior.nc`` describes; 0 for no such file, None for as many as
        :func:`save_posterior` chooses.
    prepared
        Seconds before the training.
    origin
        Where the result comes from, for the summary.
    """
    settings, directory, before = stage
    objective, test = run.objective, sources["test"]
    started = time.perf_counter()
    print(f"scoring {test.num_sequences:,} test sequences")
    scores = test_scores(objective, settings, test, processes)
    if not processes.writes:
        return
    print(score_table(scores))
    described = 0
    if posterior_sequences != 0:
        described = save_posterior(
            objective, settings, test, directory.posterior, sequences=posterior_sequences
        )
    print("drawing figures")
    drawn = {name: sources[name] for name in ("train", "test")}
    draw_pictures(objective, settings, drawn, run.records, directory.figures)
    seconds = prepared + run.seconds + time.perf_counter() - started
    earlier = {"updates": 0, "wall_seconds": 0.0} if before is None else before.read_summary()
    summary = {
        "experiment": settings.experiment,
        **{f"test.{name}": value for name, value in scores.metrics.items()},
        "training.sequences": sources["train"].num_sequences,
        "validation.sequences": sources["validation"].num_sequences,
        "test.sequences": scores.sequences,
        "errors": scores.errors,
        "per_step": scores.per_step,
        "per_step_errors": scores.per_step_errors,
        "per_component": scores.per_component,
        "posterior_sequences": described,
        # What the weights have cost, earlier stages included.
        "updates": earlier["updates"] + run.updates,
        "stopped": run.reason,
        "parameters": sum(p.numel() for p in objective.parameters()),
        "wall_seconds": round(earlier["wall_seconds"] + seconds, 1),
        "seed": settings.training.seed,
        **origin,
    }
    write_json(directory.summary, summary)
    write_report(directory, directory.report)
    print(f"done in {duration(seconds)}; everything is in {directory.path}, see {directory.report}")
