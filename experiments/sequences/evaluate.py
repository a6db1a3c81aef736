"""Score a trained run by every bound: ``python -m experiments.sequences.evaluate RUN_DIR``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from experiments.cli import (
    Count,
    Counts,
    Device,
    Text,
    Threads,
    provenance,
    run_command,
    use_threads,
)
from experiments.evaluations import check_count, write_evaluation
from experiments.resolving import check_name, or_default
from experiments.sequences.open_run import open_run
from experiments.sequences.score_table import score_table, summary_floors, summary_scores
from experiments.trained_weights import CheckpointName
from inference import RunDirectory
from inference.sequences import score_sequences
from pyro_nem.checks import at_least
from pyro_nem.data import SequenceSet
from pyro_nem.errors import ConfigError

__all__ = ["SequenceEvaluateOptions", "main"]

_PROGRAM = "experiments.sequences.evaluate"
_PARTICLES = (4, 64)


@dataclass(frozen=True)
class SequenceEvaluateOptions:
    """Score the weights of a run on sequences by every bound, whatever it was trained with.

    Scores go to RUN_DIR/evaluations/.
    """

    run_dir: tyro.conf.Positional[Path]
    """Folder of the run."""

    particles: Counts = None
    """Numbers of particles of the bounds iwae and fivo; a model without latents has neither.
    Default: 4 and 64."""

    split: Literal["training", "validation", "test"] = "test"
    """Which split."""

    sequences: Count = None
    """Score so many sequences of the split, the first ones. Default: as many as the run did."""

    checkpoint: CheckpointName = "best"
    """The weights of the lowest validation loss, or the latest."""

    seed: int = 0
    """Seed of the draws."""

    name: Text = None
    """Name of the evaluation's file. Default: made from the options."""

    device: Device = None

    threads: Threads = None

    def __post_init__(self) -> None:
        check_name("--name", self.name)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(
        SequenceEvaluateOptions, lambda options: _evaluate(options, given), _PROGRAM, given
    )


def _evaluate(options: SequenceEvaluateOptions, arguments: list[str]) -> int:
    use_threads(options.threads)
    directory = RunDirectory(options.run_dir)
    at_least(1, **{"--sequences": options.sequences})
    settings, data, objective, update = open_run(
        directory, options.checkpoint, options.device, options.sequences
    )
    if options.particles is not None and not objective.guide.stochastic:
        raise ConfigError(
            "--particles: has no effect on a model without latents, whose likelihood is exact; "
            "leave it out"
        )
    source: SequenceSet = getattr(data, options.split)
    check_count("--sequences", options.sequences, len(source), source.name)
    source = source.first(or_default(options.sequences, len(source)))
    print(f"scoring {len(source):,} sequences of {source.name}")
    particles = or_default(options.particles, _PARTICLES)
    scores = score_sequences(objective, source, particles=particles, seed=options.seed)
    floors = data.floors(source)
    print(score_table(scores, floors, data.readings))
    parts: list[str] = [options.split]
    if objective.guide.stochastic:
        parts.append("-".join(map(str, particles)) + "particles")
    if options.sequences is not None:
        parts.append(f"{options.sequences}sequences")
    name = options.name or "-".join([*parts, options.checkpoint, f"seed{options.seed}"])
    summary = {
        "split": options.split,
        "update": update,
        **summary_scores(scores, options.split, data.readings),
        **summary_floors(floors, data.readings),
        **data.facts(),
        **provenance(_PROGRAM, arguments, settings.device),
    }
    print(f"written to {write_evaluation(directory, name, summary)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
