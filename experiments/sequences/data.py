"""The data of each experiment on sequences: splits, law of a step, trivial models, pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import nn

from experiments.sequences.config import SequenceExperiment
from models import BernoulliOutput, CategoricalOutput
from pyro_nem.data import LOWEST_NOTE, SequenceSet, pen_strokes, piano_rolls
from pyro_nem.metrics import independent_bits, markov_bits, ngram_symbols
from pyro_nem.plots import PenPicture, RollPicture, pen_figure, piano_roll_figure

__all__ = ["Drawn", "PenData", "RollData", "SequenceData", "load_data"]

Drawn = tuple[str, NDArray[Any], int | None]
"""What is written above a picture, the sequence [T, D], and how much of it was given."""


class SequenceData(ABC):
    """The data of an experiment.

    Parameters
    ----------
    training, validation, test
        The splits.
    """

    figure_name: str
    """The name of the file with pictures of sequences."""

    def __init__(self, training: SequenceSet, validation: SequenceSet, test: SequenceSet) -> None:
        self.training = training
        self.validation = validation
        self.test = test

    @abstractmethod
    def output(self) -> nn.Module:
        """Return the law of a step; see :class:`models.OutputLaw`."""

    @abstractmethod
    def floors(self) -> dict[str, float]:
        """Return what trivial models say of the test sequences, nats a step, by their names."""

    @abstractmethod
    def figure(self, rows: Sequence[Sequence[Drawn]]) -> Figure:
        """Draw sequences."""


class RollData(SequenceData):
    """Piano rolls."""

    figure_name = "rolls.png"

    def output(self) -> nn.Module:
        """Return a vector of bits."""
        return BernoulliOutput(self.training.size, self.training.mean())

    def floors(self) -> dict[str, float]:
        """Return those of independent notes, and of notes that depend on themselves."""
        return {
            "independent": independent_bits(self.training, self.test),
            "markov": markov_bits(self.training, self.test),
        }

    def figure(self, rows: Sequence[Sequence[Drawn]]) -> Figure:
        """Draw rolls."""
        pictures = [[RollPicture(*drawn) for drawn in row] for row in rows]
        return piano_roll_figure(pictures, lowest_note=LOWEST_NOTE)


class PenData(SequenceData):
    """Movements of a pen, each a number.

    Parameters
    ----------
    training, validation, test
        See :class:`SequenceData`.
    tuples
        What each number but the last means, [V - 1, 4].
    """

    figure_name = "strokes.png"

    def __init__(
        self,
        training: SequenceSet,
        validation: SequenceSet,
        test: SequenceSet,
        tuples: NDArray[Any],
    ) -> None:
        super().__init__(training, validation, test)
        self.tuples = tuples

    def output(self) -> nn.Module:
        """Return a choice among all numbers."""
        return CategoricalOutput((len(self.tuples) + 1,))

    def floors(self) -> dict[str, float]:
        """Return those of counted movements, pairs, triples and fives of them."""
        return {
            f"{order}-gram": ngram_symbols(
                self.training, self.test, symbols=len(self.tuples) + 1, order=order
            )
            for order in (1, 2, 3, 5)
        }

    def figure(self, rows: Sequence[Sequence[Drawn]]) -> Figure:
        """Draw the movements. One that shares its number with others does not move the pen."""
        moves = np.concatenate([self.tuples, np.zeros_like(self.tuples[:1])])
        return pen_figure(
            [
                [
                    PenPicture(title, moves[numbers[:, 0].astype(int)], seen)
                    for title, numbers, seen in row
                ]
                for row in rows
            ]
        )


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
