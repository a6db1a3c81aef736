"""The figures of a run on sequences: piano rolls of data, draws and continuations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from inference.sequences import SequenceObjective, continue_sequences, draw_sequences
from pyro_nem.data import LOWEST_NOTE, SequenceSet, pad
from pyro_nem.plots import RollPicture, learning_curves, piano_roll_figure, save_figure

__all__ = ["draw_pictures"]

_SAMPLES = 3

# Two phrases of a chorale or so, at four quarter notes a bar.
_STEPS = 48


def draw_pictures(
    objective: SequenceObjective,
    test: SequenceSet,
    records: Sequence[Mapping[str, float]],
    folder: Path,
) -> None:
    """Write the figures of a run into a folder.

    Parameters
    ----------
    objective
        The trained model and guide.
    test
        The sequences to draw and to continue.
    records
        The lines of progress for the learning curves.
    folder
        Where the files go; it has to exist.
    """
    chosen = [sequence[:_STEPS] for sequence in test.sequences[:_SAMPLES]]
    seen = -(-min(len(sequence) for sequence in chosen) // 2)
    beginning = pad([sequence[:seen] for sequence in chosen])
    continued = continue_sequences(objective, beginning, _STEPS - seen)
    drawn = draw_sequences(objective, len(chosen), _STEPS)
    rows = [
        [RollPicture(f"test sequence {n}", roll) for n, roll in enumerate(chosen)],
        [
            RollPicture(f"sequence {n}, continued", roll, seen)
            for n, roll in enumerate(continued.transpose(0, 1).cpu().numpy())
        ],
        [RollPicture(f"draw {n}", r) for n, r in enumerate(drawn.transpose(0, 1).cpu().numpy())],
    ]
    save_figure(piano_roll_figure(rows, lowest_note=LOWEST_NOTE), folder / "rolls.png")
    if records:
        save_figure(learning_curves(records, segmentation=False), folder / "learning_curves.png")
