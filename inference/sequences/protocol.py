"""What a guide is to a sequence model and its objective."""

from __future__ import annotations

from typing import Protocol

from torch import Generator

from inference.sequences.resampling import SystematicResampling
from models import SequenceRollout
from pyro_nem.data import SequenceBatch

__all__ = ["SequenceGuide"]


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
