"""Train an experiment and score it: ``python -m experiments.run flying_shapes``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import fields

from experiments.frames.run import run_frames
from experiments.images.run import run_images
from experiments.kinds import FRAMES, IMAGES, SEQUENCES, Kind
from experiments.sequences.run import run_sequences

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0 after a finished run, 2 after an error, 130 after Ctrl-C or SIGTERM.
    """
    given = sys.argv[1:] if arguments is None else arguments
    kind = _kind(given)
    if kind is SEQUENCES:
        return run_sequences(given)
    if kind is IMAGES:
        return run_images(given)
    return run_frames(given)


def _kind(words: Sequence[str]) -> Kind:
    """Return the kind of the first experiment that is named; frames, whose help names all."""
    kinds = {name: kind for kind in (FRAMES, SEQUENCES, IMAGES) for name in kind.names}
    options = {field.name: field for kind in kinds.values() for field in fields(kind.options)}
    flags = {"--help", *(f"--{name}" for name, field in options.items() if field.default is False)}
    for before, word in zip(["", *words], words, strict=False):
        is_value = before.startswith("--") and "=" not in before and before not in flags
        if word in kinds and not is_value:
            return kinds[word]
    return FRAMES


if __name__ == "__main__":
    sys.exit(main())
