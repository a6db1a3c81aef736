"""The posterior that a run on images leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.images.config import ImageExperiment
from experiments.latent_posterior import keep_posterior
from experiments.resolving import or_default
from experiments.scale import TEST_SEED
from inference.images import ImageObjective, diagnose_images
from pyro_nem.data import ImageSet

__all__ = ["save_posterior"]


def save_posterior(
    objective: ImageObjective,
    settings: ImageExperiment,
    source: ImageSet,
    path: Path,
    *,
    images: int | None,
) -> int:
    """Write the posterior of the first images of a source, and print what to look at.

    Parameters
    ----------
    objective
        The trained model and guide.
    settings
        Scale and seed.
    source
        The test images.
    path
        The file to write.
    images
        How many images to describe, 0 for none; if not given, 100.

    Returns
    -------
    int
        How many there were to describe.
    """
    smoke = settings.scale == "smoke"
    size: dict[str, Any] = {"restarts": 2, "draws": 16, "kept_draws": 4} if smoke else {}
    count = min(or_default(images, 4 if smoke else 100), len(source))
    if count:
        print(f"describing the posterior of {count:,} of them")
        seed = TEST_SEED + settings.training.seed
        keep_posterior(diagnose_images(objective, source, images=count, seed=seed, **size), path)
    return count
