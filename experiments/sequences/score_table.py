"""Scores of sequences for people and for ``summary.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inference.sequences import SequenceScores

__all__ = ["score_table", "summary_scores"]

_TITLES = {
    "kl": "KL of the latents",
    "independent": "independent notes",
    "markov": "each note a Markov chain",
}


def score_table(scores: SequenceScores, floors: Mapping[str, float] | None = None) -> str:
    """Return scores as lines of text, with those of trivial models below them."""
    found = {_title(name): value for name, value in scores.nats_per_step.items()}
    found.update({_TITLES.get(name, name): value for name, value in (floors or {}).items()})
    lines = [f"  {title:<24}{value:8.3f}" for title, value in found.items()]
    return "\n".join(["nats a step, lower is better", *lines])


def _title(name: str) -> str:
    return _TITLES.get(name, name.upper().replace("_", "-"))


def summary_scores(scores: SequenceScores, split: str) -> dict[str, Any]:
    """Return scores by the names of ``summary.json``.

    Bounds are those on the negative log-likelihood, "nll_" and the name of the bound.
    """
    return {
        **{
            f"{split}.{name if name == 'kl' else f'nll_{name}'}": value
            for name, value in scores.nats_per_step.items()
        },
        f"{split}.sequences": len(scores.steps),
        f"{split}.steps": int(scores.steps.sum()),
    }
