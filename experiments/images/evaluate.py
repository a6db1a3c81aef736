"""Score a trained run again: ``python -m experiments.images.evaluate RUN_DIR``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import tyro

from experiments.cli import (
    Count,
    Counts,
    Device,
    Text,
    Threads,
    provenance,
    resolve_device,
    run_command,
    use_threads,
)
from experiments.evaluations import check_count, write_evaluation
from experiments.images.assembly import build_objective, load_data
from experiments.images.config import ImageExperiment
from experiments.images.score_table import score_table, summary_scores
from experiments.resolving import check_name, or_default
from experiments.trained_weights import CheckpointName, load_trained
from inference import RunDirectory
from inference.images import (
    ImageObjective,
    ImageScores,
    hmc_likelihood,
    quadrature_likelihood,
    score_images,
)
from pyro_nem.checks import at_least
from pyro_nem.data import ImageSet
from pyro_nem.errors import ConfigError

__all__ = ["ImageEvaluateOptions", "main"]

_PROGRAM = "experiments.images.evaluate"
_PARTICLES = (50, 5000)
_SAMPLES = 400
_POINTS = 401
_IMAGES = 100

# Nats beyond which an estimate of HMC is not trusted: of its spread, and of what it lacks.
_WIDE, _MISSED = 1.0, 0.5

Estimator = Literal["iwae", "hmc", "quadrature"]

# Which option is of which estimator alone.
_OWN: Mapping[Estimator, str] = MappingProxyType(
    {"iwae": "particles", "hmc": "samples", "quadrature": "points"}
)


@dataclass(frozen=True)
class ImageEvaluateOptions:
    """Bound or estimate the likelihood of images under a run's weights.

    Scores go to RUN_DIR/evaluations/.
    """

    run_dir: tyro.conf.Positional[Path]
    """Folder of the run."""

    estimator: Estimator = "iwae"
    """iwae (bounds, for any model), hmc (posterior samples and a fitted Gaussian, for up to five
    latents or so: Kingma and Welling 2013, appendix D) or quadrature (a sum over a grid, exact, for
    one or two latents)."""

    particles: Counts = None
    """iwae: numbers of draws. Default: 50 and 5000."""

    samples: Count = None
    """hmc: posterior samples; half as many before them adapt the sampler. Default: 400."""

    points: Count = None
    """quadrature: points along a latent, an odd number. Default: 401, which takes seconds an
    image."""

    images: Count = None
    """Score so many images of the split, the first ones; the held-out ones are shuffled. Default:
    100, or all if the run has fewer."""

    split: Literal["training", "validation", "test"] = "test"
    """Which split. Grey training images get bits drawn once."""

    checkpoint: CheckpointName = "best"
    """The weights of the lowest validation loss, or the latest."""

    seed: int = 0
    """Seed of the draws."""

    name: Text = None
    """Name of the evaluation's file. Default: made from the options."""

    device: Device = None

    threads: Threads = None

    def __post_init__(self) -> None:
        check_name("--name", self.name)
        for other, name in _OWN.items():
            if other != self.estimator and getattr(self, name) is not None:
                raise ConfigError(
                    f"--{name}: has no effect with --estimator {self.estimator}; leave it out, or "
                    f"use --estimator {other}"
                )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(
        ImageEvaluateOptions, lambda options: _evaluate(options, given), _PROGRAM, given
    )


def _evaluate(options: ImageEvaluateOptions, arguments: list[str]) -> int:
    use_threads(options.threads)
    at_least(1, **{"--images": options.images})
    directory = RunDirectory(options.run_dir)
    settings = ImageExperiment.from_dict(directory.read_settings(), str(directory.config))
    settings = replace(
        settings,
        device=resolve_device(options.device),
        validation_images=or_default(options.images, settings.validation_images),
        test_images=or_default(options.images, settings.test_images),
    )
    data = load_data(settings)
    objective = build_objective(settings, data.training)
    update = load_trained(objective, directory, options.checkpoint)
    source: ImageSet = getattr(data, options.split)
    check_count("--images", options.images, len(source), source.name)
    source = source.first(or_default(options.images, _IMAGES)).binarised(options.seed)
    print(f"scoring {source.name}")
    extra: dict[str, Any] = {}
    if options.estimator == "hmc":
        samples = or_default(options.samples, _SAMPLES)
        scores, extra = _sampled(objective, source, samples, options.seed)
        counts = str(samples)
    elif options.estimator == "quadrature":
        points = or_default(options.points, _POINTS)
        scores, extra = _summed(objective, source, points)
        counts = str(points)
    else:
        particles = or_default(options.particles, _PARTICLES)
        scores = score_images(objective, source, particles=particles, seed=options.seed)
        counts = "-".join(map(str, particles))
    found = {**summary_scores(scores, options.split), **extra}
    print(score_table(found, options.split))
    what = f"{options.estimator}{counts}-{len(source)}images"
    name = options.name or f"{options.split}-{what}-{options.checkpoint}-seed{options.seed}"
    summary = {
        "split": options.split,
        "update": update,
        "images": len(source),
        **found,
        **provenance(_PROGRAM, arguments, settings.device),
    }
    print(f"written to {write_evaluation(directory, name, summary)}")
    return 0


def _sampled(
    objective: ImageObjective, source: ImageSet, samples: int, seed: int
) -> tuple[ImageScores, dict[str, Any]]:
    """Return the estimates of HMC, and how many of them are not to be trusted, by reason."""
    found = hmc_likelihood(objective, source, samples=samples, warmup=samples // 2, seed=seed)
    wide, missed = int((found.spread > _WIDE).sum()), int((found.missed > _MISSED).sum())
    print(
        f"of {len(source)} estimates {wide} have a spread above {_WIDE:g} nat, and {missed} lack "
        f"more than {_MISSED:g} nats of other modes"
    )
    values = {"hmc": found.log_likelihood.double().cpu()}
    trusted = wide == 0 and missed == 0
    return ImageScores(values), {"wide_spreads": wide, "missed_modes": missed, "trusted": trusted}


def _summed(
    objective: ImageObjective, source: ImageSet, points: int
) -> tuple[ImageScores, dict[str, Any]]:
    """Return the sums over a grid, and how far a coarser one is from them at most."""
    found = quadrature_likelihood(objective, source, points=points)
    change = float(found.change.max())
    print(f"with every second point along a latent, sums change by up to {change:.2g} nats")
    return ImageScores({"quadrature": found.log_likelihood.cpu()}), {"largest_change": change}


if __name__ == "__main__":
    sys.exit(main())
