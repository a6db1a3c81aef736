"""From settings to data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

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
        return PenData(*_parts(settings, found), found.code.tuples)
    assert settings.tunes is not None
    rolls = piano_rolls(settings.tunes)
    return RollData(
        *_parts(settings, _Splits(rolls["training"], rolls["validation"], rolls["test"]))
    )


class _Splits(NamedTuple):
    training: SequenceSet
    validation: SequenceSet
    test: SequenceSet


class _HasSplits(Protocol):
    @property
    def training(self) -> SequenceSet: ...
    @property
    def validation(self) -> SequenceSet: ...
    @property
    def test(self) -> SequenceSet: ...


def _parts(settings: SequenceExperiment, found: _HasSplits) -> _Splits:
    """Return as much of the splits as the settings want."""

    def part(split: SequenceSet, count: int | None) -> SequenceSet:
        return split if count is None else split.first(count)

    return _Splits(
        part(found.training, settings.training_sequences),
        part(found.validation, settings.held_out),
        part(found.test, settings.held_out),
    )


def _speech(settings: SequenceExperiment) -> SpeechData:
    assert settings.output is not None
    if settings.corpus == "digits":
        found = spoken_digits()
    else:
        assert settings.data_dir is not None
        folder = Path(settings.data_dir)
        found = timit(folder) if settings.corpus == "timit" else blizzard(folder)
    parts = _parts(settings, found)
    return SpeechData(replace(found, **parts._asdict()), settings.output, settings.components)


def _handwriting(settings: SequenceExperiment) -> HandwritingData:
    assert settings.normalisation is not None
    assert settings.components is not None
    if settings.corpus == "omniglot":
        found = omniglot(settings.normalisation)
    else:
        assert settings.data_dir is not None
        found = iam(Path(settings.data_dir), settings.normalisation)
    parts = _parts(settings, found)
    return HandwritingData(replace(found, **parts._asdict()), settings.components)
