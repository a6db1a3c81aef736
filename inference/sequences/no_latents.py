"""The guide of a sequence model without latents."""

from __future__ import annotations

from torch import Generator

from inference.guides import ModelGuide
from inference.sequences.resampling import SystematicResampling
from inference.sequences.unrolling import Drawn, unroll
from models import SequenceRollout, SequenceVRNN
from pyro_nem.data import SequenceBatch
from pyro_nem.errors import ConfigError

__all__ = ["NoLatents"]


class NoLatents(ModelGuide[SequenceVRNN]):
    """The guide of a model without latents, whose likelihood is exact: it has no site.

    Parameters
    ----------
    model
        A model without latents.

    Raises
    ------
    ConfigError
        If it has some.
    """

    stochastic = False

    def __init__(self, model: SequenceVRNN) -> None:
        super().__init__(model)
        if model.latent_size:
            raise ConfigError(
                f"model: it has {model.latent_size} latents to infer; use SequencePosterior, or "
                "latent_size=0"
            )

    def rollout(
        self,
        batch: SequenceBatch,
        generator: Generator | None = None,
        particles: int = 1,
        resampling: SystematicResampling | None = None,
    ) -> SequenceRollout:
        """Run the recurrence over a batch; the other arguments do not matter."""
        nothing = batch.x.new_zeros(batch.mask.shape[1], 0)  # [B, 0]
        features = self.model.read(batch.x)  # [T, B, W]
        return unroll(self.model, batch, features, lambda t, context: Drawn(nothing, None))

    def forward(self, batch: SequenceBatch, rollout: SequenceRollout) -> None:
        """Register nothing."""
