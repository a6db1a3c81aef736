"""Train a model of images and score it: ``python -m experiments.run vae_mnist``."""

from __future__ import annotations

import time
from collections.abc import Sequence

from experiments.carrying_out import carry_out, origin
from experiments.cli import run_command, use_threads
from experiments.evaluations import check_count
from experiments.images.assembly import build_objective, load_data
from experiments.images.config import ImageExperiment
from experiments.images.options import ImageOptions
from experiments.images.pictures import draw_pictures
from experiments.images.posterior import save_posterior
from experiments.images.resolving import default_directory, resolve, resume_settings
from experiments.images.score_table import score_run, score_table
from experiments.opening import open_folder
from experiments.report import write_report
from experiments.report.wording import plural
from experiments.resolving import given
from experiments.scale import TEST_SEED
from inference import Processes, RunDirectory, duration
from inference.images import ImageObjective, fit_images
from pyro_nem.data import ImageSet
from pyro_nem.files import write_json

__all__ = ["run_images"]

_PROGRAM = "experiments.run"


def run_images(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code; see :func:`experiments.run.main`."""
    return run_command(
        ImageOptions, lambda options: _run(options, list(arguments)), _PROGRAM, arguments
    )


def _run(options: ImageOptions, arguments: list[str]) -> int:
    use_threads(options.threads)
    settings, directory = open_folder(options, resolve, resume_settings, default_directory)
    return carry_out(
        lambda processes: _train_and_score(settings, directory, options, arguments, processes),
        settings.device,
        settings.experiment,
        [directory],
        given(options, ("threads", "posterior_images")),
    )


def _train_and_score(
    settings: ImageExperiment,
    directory: RunDirectory,
    options: ImageOptions,
    arguments: list[str],
    processes: Processes,
) -> bool:
    """Train, score and draw; return False if it was interrupted."""
    started = time.perf_counter()
    processes.share.size(settings.training.batch_size)
    # One process downloads what is missing; data are too large to be sent to the others.
    data = processes.one_then_all(lambda: load_data(settings))
    scored = f"what is scored of {data.test.name}"
    check_count("--posterior-images", options.posterior_images, len(data.test), scored)
    objective = build_objective(settings, data.training)
    _introduce(settings, objective, data.training)
    begun = origin(options.resume, directory, arguments, settings.device)
    prepared = time.perf_counter() - started
    run = fit_images(
        objective,
        data.training,
        data.validation,
        config=settings.training,
        directory=directory.path,
        description={"settings": settings.to_dict(), **begun},
        resume=options.resume,
        processes=processes,
    )
    if run.reason == "interrupted":
        return False
    trained = time.perf_counter()
    print(f"scoring {len(data.test):,} test images")
    seed = TEST_SEED + settings.training.seed
    scores = score_run(objective, data.test, settings, seed=seed, processes=processes)
    if not processes.writes:
        return True
    print(score_table(scores))
    described = save_posterior(
        objective, settings, data.test, directory.posterior, images=options.posterior_images
    )
    print("drawing figures")
    draw_pictures(objective, data.test, run.records, directory.figures)
    seconds = prepared + run.seconds + time.perf_counter() - trained
    summary = {
        "experiment": settings.experiment,
        **scores,
        "posterior_images": described,
        "updates": run.updates,
        "stopped": run.reason,
        "parameters": sum(p.numel() for p in objective.parameters()),
        "wall_seconds": round(seconds, 1),
        "seed": settings.training.seed,
        **begun,
    }
    write_json(directory.summary, summary)
    write_report(directory, directory.report)
    print(f"done in {duration(seconds)}; everything is in {directory.path}, see {directory.report}")
    return True


def _introduce(settings: ImageExperiment, objective: ImageObjective, training: ImageSet) -> None:
    parameters = sum(p.numel() for p in objective.parameters())
    latents = " and ".join(map(str, settings.latent_sizes))
    print(
        f"{latents} latents, {parameters:,} parameters; objective {settings.bound.objective} with "
        f"{plural(settings.bound.particles, 'particle')}; {len(training):,} training images, "
        f"{settings.binarization} binarisation; {settings.training.optimizer}; on "
        f"{settings.device}"
    )
