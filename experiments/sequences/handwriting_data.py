"""Handwriting as the data of an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import nn

from experiments.sequences.sequence_data import Drawn, Reading, SequenceData
from models import PenOutput
from pyro_nem.data import Handwriting, SequenceSet
from pyro_nem.metrics import linear_moves
from pyro_nem.plots import PenPicture, pen_figure

__all__ = ["HandwritingData"]


class HandwritingData(SequenceData):
    """Recorded movements of a pen.

    Parameters
    ----------
    handwriting
        The recordings.
    components
        Gaussians of the law of a movement.
    """

    figure_name = "handwriting.png"

    def __init__(self, handwriting: Handwriting, components: int) -> None:
        super().__init__(handwriting.training, handwriting.validation, handwriting.test)
        self.scaling = handwriting.scaling
        self.components = components
        self.readings = (
            Reading(
                "nll_recorded",
                "nats a step in units of the recorder",
                1.0,
                self.scaling.log_volume,
            ),
        )

    def output(self) -> nn.Module:
        """Return a mixture of movements, and whether the pen is lifted."""
        return PenOutput(self.components)

    def floors(self, source: SequenceSet) -> dict[str, float]:
        """Return those of independent movements, and of ones predicted from the five before."""
        return {
            "independent_moves": linear_moves(self.training, source, order=0),
            "linear_moves": linear_moves(self.training, source, order=5),
        }

    def facts(self) -> dict[str, float]:
        """Return what movements were scaled by."""
        return {"scaling.std": float(self.scaling.std[1])}

    def figure(self, rows: Sequence[Sequence[Drawn]]) -> Figure:
        """Draw the strokes."""
        pictures = [[self._picture(*drawn) for drawn in row] for row in rows]
        return pen_figure(pictures, side=1.0)

    def _picture(self, title: str, x: NDArray[Any], seen: int | None) -> PenPicture:
        """Return rows (pen, dx, dy) as the moves of a picture, which has rows for ends."""
        recorded = self.scaling.undo(x)
        moves = [[0.0, 0.0, 0.0, 0.0]]
        given = None
        for number, (pen, dx, dy) in enumerate(recorded.tolist()):
            if number == seen:
                given = len(moves)
            moves.append([dx, dy, 0.0, 0.0])
            if pen > 0.5:
                moves.append([0.0, 0.0, 1.0, 0.0])
        return PenPicture(title, np.array(moves), given)
