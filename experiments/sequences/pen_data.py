"""Movements of a pen as the data of an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import nn

from experiments.sequences.sequence_data import Drawn, SequenceData
from models import CategoricalOutput
from pyro_nem.data import SequenceSet, TupleCode
from pyro_nem.metrics import ngram_symbols
from pyro_nem.plots import PenPicture, pen_figure

__all__ = ["PenData"]


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

    def recorded(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return numbers [T, 1] as movements [T, 4]; one that others share is no movement."""
        return TupleCode(self.tuples).decode(x[:, 0])

    def length(self, x: NDArray[Any]) -> int:
        """Return the steps until a digit ends, the one that ends it included."""
        ends = self.recorded(x)[:, 3] != 0
        return int(ends.argmax()) + 1 if ends.any() else len(x)

    def output(self) -> nn.Module:
        """Return a choice among all numbers."""
        return CategoricalOutput((len(self.tuples) + 1,))

    def floors(self, source: SequenceSet) -> dict[str, float]:
        """Return those of counted movements, pairs, triples and fives of them."""
        return {
            f"{order}-gram": ngram_symbols(
                self.training, source, symbols=len(self.tuples) + 1, order=order
            )
            for order in (1, 2, 3, 5)
        }

    def figure(self, rows: Sequence[Sequence[Drawn]]) -> Figure:
        """Draw the movements."""
        return pen_figure(
            [[PenPicture(title, self.recorded(x), seen) for title, x, seen in row] for row in rows]
        )
