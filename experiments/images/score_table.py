"""Scores of a model of images, for people and for ``summary.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.images.config import ImageExperiment
from inference import ALONE, Processes
from inference.images import ImageObjective, ImageScores, latent_activity, score_images
from pyro_nem.data import ImageSet

__all__ = ["score_run", "score_table", "summary_scores"]


def score_run(
    objective: ImageObjective,
    test: ImageSet,
    settings: ImageExperiment,
    *,
    seed: int,
    processes: Processes = ALONE,
) -> dict[str, Any]:
    """Score the test images as the settings say, by the names of ``summary.json``."""
    scores = score_images(
        objective, test, particles=settings.particles, seed=seed, processes=processes
    )
    count = settings.likelihood_images
    chosen = test if count is None else test.first(count)
    draws = settings.likelihood_particles
    likelihood = score_images(objective, chosen, particles=(draws,), seed=seed, processes=processes)
    name = f"iwae_{draws}"
    bounds = ImageScores({**scores.values, name: likelihood.values[name]})
    active = latent_activity(objective, test, seed=seed).active
    return {
        **summary_scores(bounds, "test"),
        "test.images": len(test),
        "test.likelihood_images": len(chosen),
        **{f"test.active_z_{layer}": number for layer, number in enumerate(active, 1)},
    }


def summary_scores(scores: ImageScores, split: str) -> dict[str, Any]:
    """Return scores by the names of ``summary.json``, nats an image.

    Bounds are those on the negative log-likelihood, "nll_" and the name of the bound; under
    "errors" stand the standard errors over the images.
    """
    titles = {name: name if name == "kl" else f"nll_{name}" for name in scores.values}
    return {
        **{
            f"{split}.{titles[name]}": value if name == "kl" else -value
            for name, value in scores.nats.items()
        },
        "errors": {titles[name]: error for name, error in scores.errors.items()},
    }


def score_table(summary: Mapping[str, Any], split: str = "test") -> str:
    """Return scores by the names of ``summary.json`` as lines of text.

    A mean that the estimates of some images spoil has a star, which is explained below.
    """
    wide, missed = summary.get("wide_spreads", 0), summary.get("missed_modes", 0)
    reasons = [f"a few draws decide {wide}"] if wide else []
    reasons += [f"{missed} lack modes"] if missed else []
    star = " *" if reasons else ""
    lines = ["nats an image, lower is better"]
    for name, error in summary["errors"].items():
        title = name.removeprefix("nll_").upper().replace("_", "-")
        title = "KL of the latents" if name == "kl" else title
        lines.append(f"  {title:<24}{summary[f'{split}.{name}']:10.3f} ± {error:.3f}{star}")
    if reasons:
        lines.append(f"  * do not trust this mean: of the estimates in it {' and '.join(reasons)}")
    active = [
        f"{value} of z_{name.rsplit('_', 1)[-1]}"
        for name, value in summary.items()
        if name.startswith(f"{split}.active_z_")
    ]
    return "\n".join([*lines, *([f"  active latents: {', '.join(active)}"] if active else [])])
