"""From settings to data."""

from __future__ import annotations

from experiments.sequences.config import SequenceExperiment
from experiments.sequences.pen_data import PenData
from experiments.sequences.roll_data import RollData
from experiments.sequences.sequence_data import SequenceData
from pyro_nem.data import SequenceSet, pen_strokes, piano_rolls

__all__ = ["load_data"]


def load_data(settings: SequenceExperiment) -> SequenceData:
    """Return the data of an experiment, downloaded the first time."""

    def part(split: SequenceSet, count: int | None) -> SequenceSet:
        return split if count is None else split.first(count)

    if settings.tunes is None:
        found = pen_strokes()
        return PenData(
            part(found.training, settings.training_sequences),
            part(found.validation, settings.held_out),
            part(found.test, settings.held_out),
            found.code.tuples,
        )
    rolls = piano_rolls(settings.tunes)
    return RollData(
        part(rolls["training"], settings.training_sequences),
        part(rolls["validation"], settings.held_out),
        part(rolls["test"], settings.held_out),
    )
