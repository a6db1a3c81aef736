"""The options of ``python -m experiments.table``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from experiments.cli import Choice, Count, File, Number
from experiments.scale import Scale
from pyro_nem.checks import at_least
from pyro_nem.errors import ConfigError

__all__ = ["SectionName", "TableName", "TableOptions"]

TableName = Literal[
    "static",
    "flying_shapes",
    "flying_mnist",
    "recipe",
    "chorales",
    "strokes",
    "speech",
    "handwriting",
    "vae_mnist",
    "iwae_mnist",
    "ideas",
]
SectionName = Literal["main", "generalisation", "prediction", "steps"]


@dataclass(frozen=True)
class TableOptions:
    """Make a table of the paper's experiments: run what is missing, test it, write the rows.

    Behind the table, options of experiments.run are taken too, with one value for all runs, as
    "--recipe improved". Runs get the folders that experiments.run chooses.

    The same command goes on where the last one stopped: finished runs and tests of unchanged
    weights are not repeated. It exits with 0 when the table is complete, 1 when some runs are not
    finished or tests are refused, 3 when the time was up.
    """

    table: tyro.conf.Positional[TableName]
    """Which table. recipe: what each part of the improved recipe gives, on static shapes. From
    chorales on they are of sequences and of images; ideas: what a replay buffer, a length
    curriculum and two normalisations give, on strokes."""

    only: tuple[SectionName, ...] = ()
    """Sections: main (the paper's), generalisation (other K and objects than trained with),
    prediction (against copying the last frame and K = 1) and steps (AMI up to step 50). Default:
    all that the table has."""

    seeds: int = 3
    """Run each setting with so many seeds, from 0."""

    scale: Annotated[Scale | None, Choice] = None
    """As for experiments.run. Default: paper where PyTorch finds a CUDA device, else laptop."""

    sequences: Count = None
    """Test sequences of each test beside the runs' own. Default: as many as a run scores at its
    end, but 1,000 at most."""

    jobs: Count = None
    """Runs at a time. Default: one a device."""

    threads: Count = None
    """CPU threads of each run. Default: the cores divided by --jobs. Tests have all cores."""

    devices: tuple[str, ...] = ()
    """Devices that the runs are dealt out to, as cuda:0 cuda:1; tests take the first. Default: that
    of experiments.run."""

    minutes: Number = None
    """Stop after so many minutes: running runs save, which takes seconds, a test ends first.
    Default: never."""

    output: File = None
    """Folder for EXPERIMENT.md (of recipe: recipe.md), .csv, .json and the figures. Rows that are
    there stay, but for those that are made again; a figure is of the runs at hand. Default:
    docs/results; at the smoke scale runs/tables."""

    dry_run: bool = False
    """Only list the runs and tests, how far they are and the commands that would be run."""

    def __post_init__(self) -> None:
        names = ("seeds", "sequences", "jobs", "threads")
        at_least(1, **{f"--{name}": getattr(self, name) for name in names})
        if self.minutes is not None and self.minutes <= 0.0:
            raise ConfigError(f"--minutes: expected a number above 0, got {self.minutes}")
