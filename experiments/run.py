"""Train an experiment and score it: ``python -m experiments.run flying_shapes``."""

from __future__ import annotations

import sys
from typing import get_args

from experiments.frames.run import run_frames
from experiments.images import ImageExperimentName
from experiments.images.run import run_images
from experiments.sequences import SequenceExperimentName
from experiments.sequences.run import run_sequences

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0 after a finished run, 2 after an error, 130 after Ctrl-C or SIGTERM.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] in get_args(SequenceExperimentName):
        return run_sequences(given)
    if given and given[0] in get_args(ImageExperimentName):
        return run_images(given)
    return run_frames(given)


if __name__ == "__main__":
    sys.exit(main())
