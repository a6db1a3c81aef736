"""Scores of sequences for people and for ``summary.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.sequences.sequence_data import Reading
from inference.sequences import SequenceScores

__all__ = ["score_table", "score_title", "summary_floors", "summary_scores"]

_TITLES = {
    "kl": "KL of the latents",
    "independent": "independent notes",
    "markov": "each note a Markov chain",
    "independent_moves": "independent movements",
    "linear_moves": "linear prediction",
    "frame_volume": "volume of the last frame",
    "moving_variance": "AR(20), moving variance",
}


def score_table(
    scores: SequenceScores,
    floors: Mapping[str, float] | None = None,
    readings: Sequence[Reading] = (),
) -> str:
    """Return scores as lines of text, with those of trivial models below them.

    There is a column for nats a step and one for each of the other readings; the KL has the first.
    """
    found = {**scores.nats_per_step, **(floors or {})}
    lines = ["nats a step, lower is better"]
    lines += [f"  column {n}: {reading.heading}" for n, reading in enumerate(readings, start=2)]
    for name, value in found.items():
        cells = [value] if name == "kl" else [value, *(reading.of(value) for reading in readings)]
        lines.append(f"  {score_title(name):<24}" + "".join(f"{cell:10.3f}" for cell in cells))
    return "\n".join(lines)


def score_title(name: str) -> str:
    """Return the name of a bound or floor for people."""
    bound = name.split("_")[0] in ("elbo", "exact", "iwae", "fivo")
    return _TITLES.get(name, name.upper().replace("_", "-") if bound else name)


def summary_scores(
    scores: SequenceScores, split: str, readings: Sequence[Reading] = ()
) -> dict[str, Any]:
    """Return scores by the names of ``summary.json``.

    Bounds are those on the negative log-likelihood, "nll_" and the name of the bound; other
    readings of it have their names in the place of "nll". Under "errors" stand the standard errors
    over the sequences, and under "readings" the headings of the readings.
    """
    found: dict[str, Any] = {}
    for name, value in scores.nats_per_step.items():
        if name == "kl":
            found[f"{split}.kl"] = value
            continue
        found[f"{split}.nll_{name}"] = value
        found.update({f"{split}.{reading.name}_{name}": reading.of(value) for reading in readings})
    steps = {f"{split}.sequences": len(scores.steps), f"{split}.steps": int(scores.steps.sum())}
    errors = {
        name if name == "kl" else f"nll_{name}": error for name, error in scores.errors.items()
    }
    headings = {reading.name: reading.heading for reading in readings}
    return {**found, **steps, "errors": errors, "readings": headings}


def summary_floors(
    floors: Mapping[str, float], readings: Sequence[Reading] = ()
) -> dict[str, float]:
    """Return scores of trivial models by the names of ``summary.json``, other readings included."""
    others = {
        f"floor.{reading.name}_{name}": reading.of(value)
        for reading in readings
        for name, value in floors.items()
    }
    return {**{f"floor.{name}": value for name, value in floors.items()}, **others}
