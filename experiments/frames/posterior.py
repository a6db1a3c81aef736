"""The posterior that a run leaves: ``posterior.nc``, and what is suspicious about it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, cast

from torch import nn

from experiments.frames.config import LARGE, FrameExperiment
from experiments.resolving import or_default
from experiments.scale import TEST_SEED
from inference import NEMObjective
from inference.diagnostics import diagnose, find_problems, write_posterior
from pyro_nem.data import FrameSource

__all__ = ["save_posterior"]


class _Size(NamedTuple):
    sequences: int
    restarts: int
    draws: int
    shown_sequences: int
    pairs: int


def save_posterior(
    objective: NEMObjective,
    settings: FrameExperiment,
    source: FrameSource,
    path: Path,
    *,
    sequences: int | None,
) -> int:
    """Write the posterior of the first sequences of a source, and print what to look at.

    A stochastic guide runs once for each draw and is described by fewer of them, so that the time
    stays small beside that of a training.

    Parameters
    ----------
    objective
        The trained model and guide.
    settings
        Steps, noise and scale.
    source
        The test frames.
    path
        The file to write.
    sequences
        How many sequences to describe; if not given, 20 where a guide is stochastic, else 100.

    Returns
    -------
    int
        How many there were to describe.
    """
    guide = cast(nn.Module, objective.guide)
    size = _size(settings, bool(getattr(guide, "stochastic", True)))
    count = min(or_default(sequences, size.sequences), source.num_sequences)
    print(f"describing the posterior of {count:,} of them")
    tree = diagnose(
        objective.model,
        guide,
        source,
        sequences=count,
        restarts=size.restarts,
        draws=size.draws,
        shown_sequences=size.shown_sequences,
        pairs=size.pairs,
        steps=settings.steps,
        noise=settings.noise,
        seed=TEST_SEED,
    )
    write_posterior(tree, path)
    for finding in find_problems(tree):
        print(f"{finding.name}: {finding.message}; {finding.advice}")
    return count


def _size(settings: FrameExperiment, stochastic: bool) -> _Size:
    if settings.scale == "smoke":
        return _Size(sequences=2, restarts=2, draws=4, shown_sequences=1, pairs=8)
    if settings.experiment in LARGE:
        # Coloured frames of 64x64 with noise do not compress; the file is to stay below 50 MB.
        if stochastic:
            return _Size(sequences=20, restarts=4, draws=16, shown_sequences=2, pairs=32)
        return _Size(sequences=100, restarts=4, draws=20, shown_sequences=3, pairs=32)
    if stochastic:
        return _Size(sequences=20, restarts=4, draws=25, shown_sequences=8, pairs=32)
    return _Size(sequences=100, restarts=4, draws=100, shown_sequences=8, pairs=32)
