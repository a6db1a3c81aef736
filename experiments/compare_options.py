"""The options of ``python -m experiments.compare``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import tyro

from experiments.cli import Count, Device, File, Number, Threads
from pyro_nem.checks import at_least

__all__ = ["CompareOptions", "ScoreName"]

ScoreName = Literal["predictive", "bound"]

_DRAWS: Final = 10


@dataclass(frozen=True)
class CompareOptions:
    """Rank finished runs by the log-likelihood of held-out sequences, and say what is noise.

    Runs may differ in K, guide, objective and network; those that differ in seed alone count as one
    model. All are scored on the same clean frames, sequence by sequence. A difference is called
    noise if it is below two standard errors, over sequences and seeds.
    """

    run_dirs: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of finished runs, of at least two settings, or released weights: names of the
    package's, or files of others."""

    score: ScoreName = "predictive"
    """predictive: log p of each frame given what the guide knew before it, for all guides. bound:
    the importance-weighted bound on log p under the learned prior, for runs of the guide vrnn."""

    particles: Count = None
    """Draws of the guide vrnn for each sequence. Default: 10."""

    sequences: Count = None
    """Sequences to score, the first ones. Default: as many as each run scores at its end, the
    fewest of them."""

    steps: Count = None
    """Steps to score. Default: as trained, which has to be the same for all."""

    noise: Number = None
    """Probability of noise on each pixel of what the guides see. Default: as trained, which has to
    be the same for all."""

    split: Literal["validation", "test"] = "test"
    """Which split. Choose K on validation if test scores are to be reported afterwards."""

    data: File = None
    """An HDF5 file in the published layout to score all runs on. Default: that of each run, which
    have to hold the same frames."""

    output: File = None
    """Folder for comparison.md, .json and .png. Default: only print."""

    device: Device = None

    threads: Threads = None

    def __post_init__(self) -> None:
        # A difference of a single sequence has no standard error.
        at_least(2, **{"--sequences": self.sequences})
        at_least(1, **{"--particles": self.particles})

    @property
    def draws(self) -> int:
        """Draws for each sequence."""
        return _DRAWS if self.particles is None else self.particles
