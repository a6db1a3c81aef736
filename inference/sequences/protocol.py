"""What a guide is to a sequence model and its objective."""

from __future__ import annotations

from typing import Protocol

from torch import Generator, nn

from inference.sequences.resampling import SystematicResampling
from models import SequenceRollout, SequenceVRNN
from pyro_nem.data import SequenceBatch

__all__ = ["ModelGuide", "SequenceGuide"]


class SequenceGuide(Protocol):
    """The contract of a guide for :class:`models.SequenceVRNN`, an nn.Module."""

    stochastic: bool
    """Whether latents are drawn, so that several particles differ."""

    def rollout(
        self,
        batch: SequenceBatch,
        generator: Generator | None = None,
        particles: int = 1,
        resampling: SystematicResampling | None = None,
    ) -> SequenceRollout:
        """Compute the latents that explain a batch, S of them if the guide is stochastic."""
        ...

    def __call__(self, batch: SequenceBatch, rollout: SequenceRollout) -> None:
        """Register the Pyro sites of the guide."""
        ...


class ModelGuide(nn.Module):
    """A guide that reads the recurrence of its model without owning its parameters."""

    def __init__(self, model: SequenceVRNN) -> None:
        super().__init__()
        # In a list, which nn.Module does not register.
        self._models = [model]

    @property
    def model(self) -> SequenceVRNN:
        """The model that this guide inverts."""
        return self._models[0]
