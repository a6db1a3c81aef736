"""Compare runs by held-out log-likelihood: ``python -m experiments.compare RUN_DIR ...``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.cli import provenance, run_command, use_threads
from experiments.compare_options import CompareOptions
from experiments.comparison_report import ComparedModel, print_comparison, write_comparison
from experiments.evaluations import check_count
from experiments.frames.config import FrameExperiment
from experiments.frames.evaluate_options import EvaluateOptions, conditions
from experiments.frames.open_run import open_run
from experiments.frames.released import find_run
from experiments.scale import TEST_SEED
from experiments.tables.run_groups import group_runs, model_names
from experiments.tables.seed_groups import Member
from inference import RunDirectory, importance_weighted
from inference.diagnostics import rank_by_likelihood
from pyro_nem.data import frames_sha256
from pyro_nem.errors import ConfigError

__all__ = ["main"]

_PROGRAM = "experiments.compare"

_Seeds = Sequence[Member[FrameExperiment]]


class _Frames(NamedTuple):
    """What a run is scored on."""

    name: str
    sha256: str
    static: bool


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(CompareOptions, lambda options: _compare(options, given), _PROGRAM, given)


def _compare(options: CompareOptions, arguments: list[str]) -> int:
    use_threads(options.threads)
    groups = group_runs([find_run(path) for path in options.run_dirs])
    if len(groups) == 1:
        raise ConfigError(
            f"run_dirs: expected runs of at least two settings, got {len(groups[0])} of one "
            f"({groups[0][0].directory.path}); add a run with another K, guide, objective or "
            "network"
        )
    _check_quantity(options, groups)
    names = model_names(groups)
    trials = {name: _trials(options, members) for name, members in zip(names, groups, strict=True)}
    _check_noise([trial for each in trials.values() for trial in each])
    sequences = min(s.test_sequences for each in trials.values() for _, s in each)
    trials = {
        name: [(run, replace(s, test_sequences=sequences)) for run, s in each]
        for name, each in trials.items()
    }
    frames = _same_frames(options, [trial for each in trials.values() for trial in each])
    scores = {
        name: np.stack([_score(options, run, settings, frames) for run, settings in each])
        for name, each in trials.items()
    }  # [seeds, sequences] each
    models = [
        ComparedModel(
            standing,
            [str(run.path) for run, _ in trials[standing.name]],
            scores[standing.name].mean(1).tolist(),
        )
        for standing in rank_by_likelihood(scores)
    ]
    device = trials[names[0]][0][1].device
    about: dict[str, Any] = {
        "score": options.score,
        "meaning": _meaning(options, frames, groups),
        "unit": "nats an image" if frames.static else "nats a sequence",
        "sequences": next(iter(scores.values())).shape[1],
        "steps": trials[names[0]][0][1].steps,
        "noise": trials[names[0]][0][1].noise.probability,
        "data": frames.name,
        "data_sha256": frames.sha256,
        "particles": options.draws,
    }
    print_comparison(models, about)
    if options.output is not None:
        about.update(provenance(_PROGRAM, arguments, device))
        write_comparison(models, about, options.output)
    return 0


def _check_quantity(options: CompareOptions, groups: Sequence[_Seeds]) -> None:
    """Check that the runs have the quantity that is asked for, the same one, and draws if asked.

    Raises
    ------
    ConfigError
        If they have not.
    """
    members = [member for group in groups for member in group]
    first = members[0]
    for other in members:
        if other.settings.pixels != first.settings.pixels:
            raise ConfigError(
                f"run_dirs: {first.directory.path} has {first.settings.pixels} pixels and "
                f"{other.directory.path} {other.settings.pixels} ones; a probability and a density "
                "cannot be compared"
            )
        if options.score == "bound" and other.settings.guide != "vrnn":
            raise ConfigError(
                f"--score bound: {other.directory.path} has the guide {other.settings.guide}, "
                "whose point masses have no learned prior to bound log p(x) under; compare with "
                "--score predictive, or runs of the guide vrnn only"
            )
    if options.particles is not None and all(m.settings.guide != "vrnn" for m in members):
        raise ConfigError(
            "--particles: none of the runs has the guide vrnn, and draws of point masses are all "
            "alike; leave it out"
        )


def _trials(options: CompareOptions, members: _Seeds) -> list[tuple[RunDirectory, FrameExperiment]]:
    """Return each run with the conditions to score it under."""
    return [
        (
            member.directory,
            conditions(
                EvaluateOptions(
                    member.directory.path,
                    steps=options.steps,
                    data=options.data,
                    split=options.split,
                    sequences=options.sequences,
                    noise=options.noise,
                    device=options.device,
                ),
                member.settings,
            ),
        )
        for member in members
    ]


def _check_noise(trials: Sequence[tuple[RunDirectory, FrameExperiment]]) -> None:
    """Check that all guides see the same noise: the likelihood is one given what they saw.

    Raises
    ------
    ConfigError
        If they do not.
    """
    first, settings = trials[0]
    for other, its in trials:
        if its.noise != settings.noise:
            raise ConfigError(
                f"run_dirs: {first.path} was trained with {settings.noise.kind} noise of "
                f"{settings.noise.probability} and {other.path} with {its.noise.kind} noise of "
                f"{its.noise.probability}; give --noise, with which all are then scored"
            )


def _same_frames(
    options: CompareOptions, trials: Sequence[tuple[RunDirectory, FrameExperiment]]
) -> _Frames:
    """Return what all runs are scored on.

    Raises
    ------
    ConfigError
        If it is not the same for all.
    """
    found: list[_Frames] = []
    for directory, settings in trials:
        with open_run(directory, settings, split=options.split) as run:
            check_count("--sequences", options.sequences, run.source.num_sequences, run.source.name)
            digest = frames_sha256(run.source, settings.steps + 1, settings.test_sequences)
            static = run.source.num_frames == 1
            found.append(_Frames(Path(run.source.name).name, digest, static))
        if found[-1].sha256 != found[0].sha256:
            first, first_settings = trials[0]
            raise ConfigError(
                f"run_dirs: {first.path} would be scored on {first_settings.steps} steps of "
                f"{found[0].name}, and {directory.path} on {settings.steps} steps of "
                f"{found[-1].name}, which are other frames; compare runs of the same data, or "
                "give --steps or --data for all"
            )
    if options.score == "bound" and found[0].static:
        raise ConfigError(
            f"--score bound: {found[0].name} holds static images, which a vrnn explains once a "
            "step, so that its bound is of no single image; use --score predictive"
        )
    return found[0]


def _score(
    options: CompareOptions, directory: RunDirectory, settings: FrameExperiment, frames: _Frames
) -> NDArray[np.float64]:
    """Return the log-likelihood of each sequence, in nats."""
    print(f"scoring {directory.path}", flush=True)
    with open_run(directory, settings, split=options.split) as run:
        found = importance_weighted(
            run.objective,
            run.source,
            # Batches depend on it, so the same number for all gives all the same noise.
            particles=options.draws,
            steps=settings.steps,
            noise=settings.noise,
            seed=TEST_SEED,
        )
    values = found.iwae if options.score == "bound" else found.predictive
    # An image that is shown T times is still one image.
    scale = 1 if frames.static else settings.steps
    return np.asarray((values * scale).numpy(), dtype=np.float64)


def _meaning(options: CompareOptions, frames: _Frames, groups: Sequence[_Seeds]) -> str:
    if options.score == "bound":
        return (
            f"the importance-weighted bound of {options.draws} draws on log p(x), states from "
            "the learned prior"
        )
    if frames.static:
        meaning = (
            "log p(x | psi), mean over the steps: the guide has seen noisy copies of the image, so "
            "this is how well it denoises and no likelihood of unseen data"
        )
    else:
        meaning = (
            "the sum over steps of log p(next frame | what the guide knew of the earlier ones)"
        )
    if any(member.settings.guide == "vrnn" for group in groups for member in group):
        meaning += f"; of a vrnn the log of the mean over {options.draws} draws, on average too low"
    return meaning


if __name__ == "__main__":
    sys.exit(main())
