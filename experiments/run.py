"""Train an experiment and score it: ``python -m experiments.run flying_shapes``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import fields

from experiments.choices import did_you_mean
from experiments.frames.run import run_frames
from experiments.images.run import run_images
from experiments.kinds import FRAMES, IMAGES, SEQUENCES
from experiments.sequences.run import run_sequences

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0 after a finished run, 2 after an error, 130 after Ctrl-C or SIGTERM.
    """
    given = sys.argv[1:] if arguments is None else arguments
    kinds = {name: kind for kind in (FRAMES, SEQUENCES, IMAGES) for name in kind.names}
    words = _positional(given)
    # Without any, the parser of frames asks for one, and its help names all.
    name = next((word for word in words if word in kinds), words[0] if words else FRAMES.names[0])
    if name not in kinds:
        advice = did_you_mean(name, kinds)
        print(f"error: {name}: expected one of {', '.join(kinds)}{advice}", file=sys.stderr)
        return 2
    if kinds[name] is SEQUENCES:
        return run_sequences(given)
    if kinds[name] is IMAGES:
        return run_images(given)
    return run_frames(given)


def _positional(words: Sequence[str]) -> list[str]:
    """Return the words that are neither options nor values of them."""
    known = [field for kind in (FRAMES, SEQUENCES, IMAGES) for field in fields(kind.options)]
    flags = {"--help", *(f"--{field.name}" for field in known if field.default is False)}
    return [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("-")
        and (not before.startswith("--") or "=" in before or before in flags)
    ]


if __name__ == "__main__":
    sys.exit(main())
