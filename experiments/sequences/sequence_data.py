"""What an experiment on sequences has to say of its data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import nn

from pyro_nem.data import SequenceSet

__all__ = ["Drawn", "SequenceData"]

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
