"""From settings to data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from experiments.sequences.config import SequenceExperiment
from experiments.sequences.handwriting_data import HandwritingData
from experiments.sequences.pen_data import PenData
from experiments.sequences.roll_data import RollData
from experiments.sequences.sequence_data import SequenceData
from experiments.sequences.speech_data import SpeechData
from pyro_nem.data import (
    SequenceSet,
    blizzard,
    iam,
    omniglot,
    pen_strokes,
    piano_rolls,
    spoken_digits,
    timit,
)

__all__ = ["load_data"]


def load_data(settings: SequenceExperiment) -> SequenceData:
    """Return the data of an experiment, downloaded the first time.

    Raises
    ------
    DataError
        They are damaged, cannot be downloaded, or are not in the user's folder.
    """
    if settings.experiment == "speech":
        return _speech(settings)
    if settings.experiment == "handwriting":
        return _handwriting(settings)
    if settings.experiment == "strokes":
        found = pen_strokes()
        parts = _shortened(settings, found.training, found.validation, found.test)
        return PenData(*parts, found.code.tuples)
    assert settings.tunes is not None
    rolls = piano_rolls(settings.tunes)
    return RollData(*_shortened(settings, rolls["training"], rolls["validation"], rolls["test"]))


def _speech(settings: SequenceExperiment) -> SpeechData:
    assert settings.output is not None
    if settings.corpus == "digits":
        found = spoken_digits()
    else:
        assert settings.data_dir is not None
        folder = Path(settings.data_dir)
        found = timit(folder) if settings.corpus == "timit" else blizzard(folder)
    training, validation, test = _shortened(settings, found.training, found.validation, found.test)
    speech = replace(found, training=training, validation=validation, test=test)
    return SpeechData(speech, settings.output, settings.components)


def _handwriting(settings: SequenceExperiment) -> HandwritingData:
    assert settings.normalisation is not None
    assert settings.components is not None
    if settings.corpus == "omniglot":
        found = omniglot(settings.normalisation)
    else:
        assert settings.data_dir is not None
        found = iam(Path(settings.data_dir), settings.normalisation)
    training, validation, test = _shortened(settings, found.training, found.validation, found.test)
    handwriting = replace(found, training=training, validation=validation, test=test)
    return HandwritingData(handwriting, settings.components)


def _shortened(
    settings: SequenceExperiment, training: SequenceSet, validation: SequenceSet, test: SequenceSet
) -> tuple[SequenceSet, SequenceSet, SequenceSet]:
    """Return as much of the splits as the settings want."""

    def part(split: SequenceSet, count: int | None) -> SequenceSet:
        return split if count is None else split.first(count)

    return (
        part(training, settings.training_sequences),
        part(validation, settings.held_out),
        part(test, settings.held_out),
    )
