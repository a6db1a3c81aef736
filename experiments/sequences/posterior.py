"""The posterior that a run on sequences leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from experiments.latent_posterior import keep_posterior
from experiments.resolving import or_default
from experiments.scale import TEST_SEED
from experiments.sequences.config import SequenceExperiment
from inference.sequences import SequenceObjective, diagnose_sequences
from pyro_nem.data import SequenceSet

__all__ = ["save_posterior"]

_SMOKE: Final = {
    "restarts": 2,
    "draws": 16,
    "kept_draws": 4,
    "shown_sequences": 1,
    "shown_steps": 12,
}


def save_posterior(
    objective: SequenceObjective,
    settings: SequenceExperiment,
    source: SequenceSet,
    path: Path,
    *,
    sequences: int | None,
) -> int:
    """Write the posterior of the first sequences of a source, and print what to look at.

    Parameters
    ----------
    objective
        The trained model and guide.
    settings
        Experiment, scale and seed.
    source
        The test sequences.
    path
        The file to write.
    sequences
        How many sequences to describe, 0 for none; if not given, 20.

    Returns
    -------
    int
        How many there were to describe; 0 without latents.
    """
    if not objective.guide.stochastic:
        print(f"no {path.name}: a model without latents has no posterior, its likelihood is exact")
        return 0
    smoke = settings.scale == "smoke"
    count = min(or_default(sequences, 2 if smoke else 20), len(source))
    if count:
        print(f"describing the posterior of {count:,} of them")
        size = _SMOKE if smoke else {}
        seed = TEST_SEED + settings.training.seed
        keep_posterior(
            diagnose_sequences(objective, source, sequences=count, seed=seed, **size), path
        )
    return count
