"""Score a trained run under other conditions: ``python -m experiments.evaluate RUN_DIR``."""

from __future__ import annotations

import sys

from experiments.cli import run_command, use_threads
from experiments.frames.evaluate_options import EvaluateOptions
from experiments.frames.open_run import open_run
from experiments.frames.pictures import draw_segmentations
from experiments.frames.scores import score_table
from experiments.frames.trial import trial

__all__ = ["main"]

_PROGRAM = "experiments.evaluate"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(EvaluateOptions, lambda options: _evaluate(options, given), _PROGRAM, given)


def _evaluate(options: EvaluateOptions, arguments: list[str]) -> int:
    use_threads(options.threads)
    asked = trial(options, arguments)
    settings = asked.settings
    with open_run(
        asked.directory, settings, split=options.split, checkpoint=options.checkpoint
    ) as run:
        print(
            f"{asked.directory.path}, {asked.checkpoint.name} of update {run.update}: K = "
            f"{settings.components}, T = {settings.steps}, {run.source.name}"
        )
        scores, _ = asked.score(run)
        print(score_table(scores))
        draw_segmentations(
            run.objective, settings, run.source, options.split, asked.file.parent, asked.name
        )
    print(f"written to {asked.file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
