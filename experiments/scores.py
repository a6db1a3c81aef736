"""Test scores, computed and printed alike by ``run`` and ``evaluate``."""

from __future__ import annotations

from experiments.config import FrameExperiment
from inference import Evaluation, NEMObjective, evaluate
from pyro_nem.data import FrameSource

__all__ = ["score_table", "test_scores"]

# Another seed than any training's, so that noise and first responsibilities are new.
_TEST_SEED = 2**31

_ROWS = (
    ("ami", "AMI"),
    ("ari", "ARI"),
    ("confidence", "confidence"),
)


def test_scores(
    objective: NEMObjective, settings: FrameExperiment, source: FrameSource
) -> Evaluation:
    """Score an objective with the noise and steps of its settings, AMI included."""
    return evaluate(
        objective,
        source,
        steps=settings.steps,
        noise=settings.noise,
        seed=_TEST_SEED,
        scores=("ari", "ami"),
    )


def score_table(scores: Evaluation) -> str:
    """Return a small table for the terminal."""
    metrics = scores.metrics
    lines = [f"{scores.sequences:,} sequences     step-weighted   last step"]
    for name, title in _ROWS:
        if name in metrics:
            last = metrics[f"{name}_last"]
            lines.append(f"  {title:<20}{metrics[name]:>10.4f}{last:>12.4f}")
    for name, title in (
        ("effective_components", "effective K"),
        ("next_step_bce", "next-step BCE, nats"),
        ("log_likelihood", "log p(x), nats"),
        ("loss", "loss, nats a clip"),
    ):
        if name in metrics:
            lines.append(f"  {title:<20}{metrics[name]:>10.3f}")
    return "\n".join(lines)
