"""Compare optimisers and sizes: ``python -m experiments.images.sweep``."""

from __future__ import annotations

import itertools
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from experiments.cli import Choice, Count, Device, Threads, parse, run_command
from experiments.images.config import ImageExperiment
from experiments.images.defaults import OptimizerName
from experiments.images.options import ImageOptions
from experiments.images.resolving import default_directory, resolve
from experiments.images.run import run_images
from experiments.scale import Scale
from experiments.tables.bound_rows import bound_rows
from experiments.tables.result_rows import write_tables
from inference import RunDirectory
from pyro_nem.checks import at_least
from pyro_nem.plots import CurvePanel, curve_panels, save_figure

__all__ = ["ImageSweepOptions", "main"]

_PROGRAM = "experiments.images.sweep"
_NAME = "vae_mnist"

# Another than that of experiments.sweep vae_mnist, which writes to the same folder.
_TABLE = "vae_mnist_sizes"


@dataclass(frozen=True)
class ImageSweepOptions:
    """Train vae_mnist by each optimiser with each number of latents, and draw how they learn.

    Runs follow each other, each in the folder that experiments.run chooses. The same command goes
    on where the last one stopped.
    """

    optimizers: tuple[OptimizerName, ...] = ("adam", "adagrad")
    """The optimisers."""

    latent_sizes: tuple[int, ...] = (2, 5, 10, 20, 50, 100, 200)
    """The numbers of latents."""

    seeds: int = 1
    """So many seeds of each, from 0 on."""

    scale: Annotated[Scale | None, Choice] = None
    """As for experiments.run."""

    updates: Count = None
    """Number of optimiser updates of a run. Default: that of the scale."""

    output: Path = Path("runs/tables")
    """Folder for vae_mnist_sizes.md, .csv, .json and .png, replaced each time."""

    device: Device = None

    threads: Threads = None


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0 when all runs are finished, else that of the run that was stopped or failed.
    """
    return run_command(ImageSweepOptions, _sweep, _PROGRAM, arguments)


def _sweep(options: ImageSweepOptions) -> int:
    at_least(1, seeds=options.seeds)
    runs: list[tuple[ImageExperiment, RunDirectory]] = []
    for seed, size, optimizer in itertools.product(
        range(options.seeds), options.latent_sizes, options.optimizers
    ):
        words = [_NAME, "--optimizer", optimizer, "--latent-size", str(size), "--seed", str(seed)]
        for name in ("scale", "updates", "device", "threads"):
            if (value := getattr(options, name)) is not None:
                words += [f"--{name}", str(value)]
        settings, _ = resolve(parse(ImageOptions, _PROGRAM, words))
        directory = RunDirectory(default_directory(settings))
        runs.append((settings, directory))
        if not directory.summary.exists():
            resume = ["--resume"] if directory.last.exists() else []
            print(shlex.join(["experiments.run", *words, *resume]), flush=True)
            if code := run_images([*words, *resume]):
                return code
    print(write_tables(bound_rows([run for _, run in runs]), options.output, _TABLE))
    save_figure(curve_panels(_panels(runs), "ELBO, nats"), options.output / f"{_TABLE}.png")
    print(f"in {options.output}: {_TABLE}.md, .csv, .json and .png")
    return 0


def _panels(runs: Sequence[tuple[ImageExperiment, RunDirectory]]) -> list[CurvePanel]:
    """Return how each size learns, and what each comes to; means over seeds."""
    learned: dict[int, dict[str, list[list[tuple[float, float]]]]] = {}
    final: dict[str, dict[int, list[float]]] = {}
    for settings, directory in runs:
        (size,), optimizer = settings.latent_sizes, settings.training.optimizer
        points = [
            (record["update"] * settings.training.batch_size, -record["validation.loss"])
            for record in directory.read_metrics()
            if "validation.loss" in record
        ]
        learned.setdefault(size, {}).setdefault(optimizer, []).append(points)
        bound = -directory.read_summary()["test.nll_elbo"]
        final.setdefault(optimizer, {}).setdefault(size, []).append(bound)
    panels = [
        CurvePanel(
            f"{size} latents, validation",
            "training images",
            {name: _mean(curves) for name, curves in of_size.items()},
        )
        for size, of_size in learned.items()
    ]
    bounds = {
        name: [(float(size), float(np.mean(values))) for size, values in sorted(of_name.items())]
        for name, of_name in final.items()
    }
    return [*panels, CurvePanel("all sizes, test", "latents", bounds)]


def _mean(curves: Sequence[Sequence[tuple[float, float]]]) -> list[tuple[float, float]]:
    """Return the mean of curves that have the same x, as runs of equal settings have."""
    return [(float(x), float(y)) for x, y in np.mean(curves, axis=0)]


if __name__ == "__main__":
    sys.exit(main())
