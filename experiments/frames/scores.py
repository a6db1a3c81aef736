"""Test scores, computed and printed alike by ``run`` and ``evaluate``."""

from __future__ import annotations

import math
from collections.abc import Mapping

from experiments.frames.config import FrameExperiment
from experiments.scale import TEST_SEED
from inference import (
    Evaluation,
    NEMObjective,
    Processes,
    evaluate,
    importance_weighted,
)
from pyro_nem.data import FrameSource
from pyro_nem.metrics import standard_errors

__all__ = ["metric_titles", "score_table", "test_scores"]

_SEGMENTATION = (
    ("ami", "AMI"),
    ("ari", "ARI"),
    ("confidence", "confidence"),
)
_NATS = (
    ("effective_components", "effective K"),
    ("next_step_bce", "next-step BCE, nats"),
    ("prior_bce", "  of the prior, nats"),
    ("collision_bce", "  at collisions, nats"),
    ("log_likelihood", "log p(x), nats"),
    ("kl", "KL, nats a frame"),
    ("bound", "bound, nats a frame"),
    ("loss", "loss, nats a clip"),
)
# Each component's value, the one with most pixels first.
_COMPONENTS = (
    ("component_share", "share of pixels"),
    ("component_kl", "KL, nats a frame"),
)


def test_scores(
    objective: NEMObjective,
    settings: FrameExperiment,
    source: FrameSource,
    processes: Processes,
) -> Evaluation:
    """Score an objective with the noise and steps of its settings, AMI included.

    A stochastic guide also gets "iwae", its importance-weighted bound, on the first sequences.
    Several processes share the work.
    """
    scores = evaluate(
        objective,
        source,
        steps=settings.steps,
        noise=settings.noise,
        seed=TEST_SEED,
        scores=("ari", "ami"),
        # One draw, however many the training had, so that runs can be compared.
        particles=1,
        processes=processes,
    )
    if settings.guide != "vrnn":
        return scores
    found = importance_weighted(
        objective,
        source,
        particles=settings.iwae_particles,
        sequences=settings.iwae_sequences,
        steps=settings.steps,
        noise=settings.noise,
        seed=TEST_SEED,
        processes=processes,
    )
    extra = {
        "iwae": found.iwae.mean().item(),
        "iwae_elbo": found.elbo.mean().item(),
        "iwae_particles": float(found.particles),
        "iwae_sequences": float(len(found.iwae)),
    }
    errors = {
        "iwae": standard_errors(found.iwae.numpy()).item(),
        "iwae_elbo": standard_errors(found.elbo.numpy()).item(),
    }
    return scores._replace(metrics={**scores.metrics, **extra}, errors={**scores.errors, **errors})


def metric_titles(
    settings: FrameExperiment, titles: Mapping[str, str], mean: str
) -> dict[str, str]:
    """Return the names of scores with titles that say over which steps they are means.

    Where the loss counts the last step alone, so does every score: those whose names end in
    ``_last`` are left out, which are the same as those without.

    Parameters
    ----------
    settings
        Of the run.
    titles
        By name; ``{}`` stands for the steps.
    mean
        Words for a mean over all steps.
    """
    if settings.step_weights == "last":
        kept = {name: title for name, title in titles.items() if not name.endswith("_last")}
        return {name: title.format("last step") for name, title in kept.items()}
    over = mean if settings.step_weights == "all" else f"{mean} as the loss weighs them"
    return {name: title.format(over) for name, title in titles.items()}


def score_table(scores: Evaluation) -> str:
    """Return a small table for the terminal."""
    metrics = {name: value for name, value in scores.metrics.items() if not math.isnan(value)}
    lines = [f"{scores.sequences:,} sequences     step-weighted   last step"]
    if not {"ami", "ari"} & set(metrics):
        lines.append("  no masks of objects, so no AMI and ARI")
    for name, title in _SEGMENTATION:
        if name in metrics:
            last = scores.metrics[f"{name}_last"]
            lines.append(f"  {title:<24}{metrics[name]:>10.4f}{last:>12.4f}")
    for name, title in _NATS:
        if name in metrics:
            lines.append(f"  {title:<24}{metrics[name]:>10.3f}")
    if "iwae" in metrics:
        title = f"IWAE-{metrics['iwae_particles']:.0f}, {metrics['iwae_sequences']:.0f} sequences"
        lines.append(f"  {title:<24}{metrics['iwae']:>10.3f}   ELBO {metrics['iwae_elbo']:.3f}")
    for name, title in _COMPONENTS:
        if name in scores.per_component and not all(map(math.isnan, scores.per_component[name])):
            values = "".join(f"{value:>10.3f}" for value in scores.per_component[name])
            lines.append(f"  {title:<24}{values}")
    return "\n".join(lines)
