"""What an experiment on sequences has to say of its data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import nn

from pyro_nem.data import SequenceSet
from pyro_nem.plots import save_figure

__all__ = ["Drawn", "Reading", "SequenceData"]

Drawn = tuple[str, NDArray[Any], int | None]
"""What is written above a picture, the sequence [T, D], and how much of it was given."""


class Reading(NamedTuple):
    """Another way to state a bound than nats a step: factor * (nats a step + offset)."""

    name: str
    """Its name in ``summary.json``."""
    title: str
    """What it is, for people."""
    factor: float
    """What nats a step are multiplied by; a negative one makes a log-likelihood of them."""
    offset: float = 0.0
    """What is added before, for other units of the data."""

    @property
    def heading(self) -> str:
        """The title, and which way is better."""
        return f"{self.title}, {'higher' if self.factor < 0 else 'lower'} is better"

    def of(self, nats: float) -> float:
        """Return what so many nats a step are."""
        return self.factor * (nats + self.offset)


class SequenceData(ABC):
    """The data of an experiment.

    Parameters
    ----------
    training, validation, test
        The splits.
    """

    figure_name: str
    """The name of the file with pictures of sequences."""

    readings: tuple[Reading, ...] = ()
    """Other ways to state the scores."""

    def __init__(self, training: SequenceSet, validation: SequenceSet, test: SequenceSet) -> None:
        self.training = training
        self.validation = validation
        self.test = test

    @abstractmethod
    def output(self) -> nn.Module:
        """Return the law of a step; see :class:`models.OutputLaw`."""

    @abstractmethod
    def floors(self, source: SequenceSet) -> dict[str, float]:
        """Return what trivial models say of sequences, nats a step, by their names."""

    @abstractmethod
    def figure(self, rows: Sequence[Sequence[Drawn]]) -> Figure:
        """Draw sequences."""

    def recorded(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return a sequence [T, D] in the units that batches have in those of the data."""
        scaling = self.test.scaling
        return x if scaling is None else scaling.undo(x)

    def length(self, x: NDArray[Any]) -> int:
        """Return after how many steps a sequence [T, D] has ended; T if it does not say."""
        return len(x)

    def facts(self) -> dict[str, float]:
        """Return numbers that the scores depend on, to be recorded beside them."""
        return {}

    def save(self, rows: Sequence[Sequence[Drawn]], folder: Path) -> None:
        """Write sequences into a folder that exists, as a figure."""
        save_figure(self.figure(rows), folder / self.figure_name)
