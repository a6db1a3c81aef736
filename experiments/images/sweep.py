"""Compare optimisers and sizes: ``python -m experiments.images.sweep``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, cast

import numpy as np

from experiments.cli import Choice, Count, Device, Threads, run_command
from experiments.images.config import ImageExperiment
from experiments.images.defaults import OptimizerName
from experiments.scale import Scale
from experiments.sweeping.grid import Axes, GridPoint, expand
from experiments.sweeping.options import SweepOptions
from experiments.sweeping.run_points import exit_code, run_points
from experiments.tables.bound_rows import bound_rows
from experiments.tables.posterior_rows import posterior_notes
from experiments.tables.result_rows import write_tables
from pyro_nem.plots import CurvePanel, curve_panels, save_figure

__all__ = ["ImageSweepOptions", "main"]

_PROGRAM = "experiments.images.sweep"
_NAME: Final = "vae_mnist"

# Another than that of experiments.sweep vae_mnist, which writes to the same folder.
_TABLE = "vae_mnist_sizes"


@dataclass(frozen=True)
class ImageSweepOptions:
    """Train vae_mnist by each optimiser with each number of latents, and draw how they learn.

    Each run has the folder that experiments.run chooses. The same command goes on where the last
    one stopped.
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

    jobs: Count = None
    """Runs at a time. Default: 1."""

    device: Device = None

    threads: Threads = None


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0 when all runs are finished, 1 when some are not, 2 after an error, 130 after Ctrl-C or
    SIGTERM.
    """
    return run_command(ImageSweepOptions, _sweep, _PROGRAM, arguments)


def _sweep(options: ImageSweepOptions) -> int:
    grid = SweepOptions(
        _NAME,
        seeds=options.seeds,
        jobs=options.jobs,
        threads=options.threads,
        devices=() if options.device is None else (options.device,),
        output=options.output,
    )
    points = expand(_NAME, _axes(options), options.device, _PROGRAM)
    if code := exit_code(points, run_points(points, grid)):
        return code
    rows = bound_rows([point.directory for point in points])
    print(write_tables(rows, options.output, _TABLE, posterior_notes(rows)))
    save_figure(curve_panels(_panels(points), "ELBO, nats"), options.output / f"{_TABLE}.png")
    print(f"in {options.output}: {_TABLE}.md, .csv, .json and .png")
    return 0


def _axes(options: ImageSweepOptions) -> Axes:
    alike = {f"--{name}": getattr(options, name) for name in ("scale", "updates")}
    return {
        "--latent-size": [str(size) for size in options.latent_sizes],
        "--optimizer": options.optimizers,
        "--seed": [str(seed) for seed in range(options.seeds)],
        **{name: (str(value),) for name, value in alike.items() if value is not None},
    }


def _panels(points: Sequence[GridPoint]) -> list[CurvePanel]:
    """Return how each size learns, and what each comes to; means over seeds."""
    learned: dict[int, dict[str, list[list[tuple[float, float]]]]] = {}
    final: dict[str, dict[int, list[float]]] = {}
    for point in points:
        settings, directory = cast(ImageExperiment, point.settings), point.directory
        (size,), optimizer = settings.latent_sizes, settings.training.optimizer
        curve = [
            (record["update"] * settings.training.batch_size, -record["validation.loss"])
            for record in directory.read_metrics()
            if "validation.loss" in record
        ]
        learned.setdefault(size, {}).setdefault(optimizer, []).append(curve)
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
