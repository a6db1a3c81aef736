"""Piano rolls as the data of an experiment."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import nn

from experiments.sequences.sequence_data import Drawn, SequenceData
from models import BernoulliOutput
from pyro_nem.data import LOWEST_NOTE, SequenceSet
from pyro_nem.metrics import independent_bits, markov_bits
from pyro_nem.plots import RollPicture, piano_roll_figure

__all__ = ["RollData"]


class RollData(SequenceData):
    """Piano rolls."""

    figure_name = "rolls.png"

    def output(self) -> nn.Module:
        """Return a vector of bits."""
        return BernoulliOutput(self.training.size, self.training.mean())

    def floors(self, source: SequenceSet) -> dict[str, float]:
        """Return those of independent notes, and of notes that depend on themselves."""
        return {
            "independent": independent_bits(self.training, source),
            "markov": markov_bits(self.training, source),
        }

    def figure(self, rows: Sequence[Sequence[Drawn]]) -> Figure:
        """Draw rolls."""
        pictures = [[RollPicture(*drawn) for drawn in row] for row in rows]
        return piano_roll_figure(pictures, lowest_note=LOWEST_NOTE)
