"""A recurrent posterior over the latents of a sequence model."""

from __future__ import annotations

import pyro
import torch
from pyro import poutine
from torch import Generator, Tensor, nn

from inference.guides import DrawnNormal, ModelGuide
from inference.sequences.normalised_mean import NormalisedMean
from inference.sequences.reader import BackwardReader
from inference.sequences.resampling import SystematicResampling
from inference.sequences.unrolling import Drawn, Resampler, unroll, unroll_at
from inference.standard_normal import standard_normal
from models import SequenceRollout, SequenceVRNN, StateLaw, gaussian_head
from models.recurrent_prior import MIN_SCALE
from pyro_nem.checks import at_least
from pyro_nem.data import SequenceBatch
from pyro_nem.errors import ConfigError
from pyro_nem.networks import perceptron

__all__ = ["SequencePosterior"]


class SequencePosterior(ModelGuide[SequenceVRNN]):
    """Parameterises q(z_t | h_{t-1}, x_t) = Normal, or q(z_t | h_{t-1}, x_{t:T}) when smoothing.

    h is the recurrence of the model, which has taken in the latents before; phi_x is the model's.

    Parameters
    ----------
    model
        A model with latents.
    residual
        Let the head correct the prior: loc_q = loc_p + correction (Fraccaro et al. 2016).
    smoothing
        Read what is still to come by a recurrence that runs backwards, in the place of x_t alone.
    layers, layer_norm
        Of the layers before the head; see :class:`models.SequenceVRNN`.
    batch_norm
        Batch-normalise the means, with residual the corrections, with averages of so many steps;
        see :class:`NormalisedMean`.
    min_scale
        Smallest standard deviation of q(z_t).

    Raises
    ------
    ConfigError
        If the model has no latents, ``min_scale`` is below 0, or ``batch_norm`` below 1.
    """

    stochastic = True

    def __init__(
        self,
        model: SequenceVRNN,
        *,
        residual: bool = True,
        smoothing: bool = False,
        layers: int = 1,
        layer_norm: bool = False,
        batch_norm: int | None = None,
        min_scale: float = MIN_SCALE,
    ) -> None:
        super().__init__(model)
        if not model.latent_size:
            raise ConfigError(
                "model: it has no latents to infer; use NoLatents, or latent_size above 0"
            )
        at_least(0, min_scale=min_scale)
        self.residual = residual
        self.min_scale = min_scale
        self.reader = BackwardReader(model.width, model.hidden_size) if smoothing else None
        num_inputs = model.hidden_size + (model.hidden_size if smoothing else model.width)
        self.layers = perceptron(num_inputs, model.width, layers=layers, layer_norm=layer_norm)
        self.head = nn.Linear(model.width, 2 * model.latent_size)
        self.normalised = (
            None if batch_norm is None else NormalisedMean(model.latent_size, batch_norm)
        )

    def rollout(
        self,
        batch: SequenceBatch,
        generator: Generator | None = None,
        particles: int = 1,
        resampling: SystematicResampling | None = None,
    ) -> SequenceRollout:
        """Draw latents for a batch.

        Parameters
        ----------
        batch
            T steps of B sequences; what stands behind the end of one changes nothing before it.
        generator
            Source of the draws, on the model's device; None uses PyTorch's global one.
        particles
            S.
        resampling
            When particles are resampled; never if not given.
        """
        steps, size = batch.mask.shape
        shape = (steps, particles * size, self.model.latent_size)
        noise = standard_normal(shape, batch.x, generator)  # [T, S B, H]
        resampler = None if resampling is None else Resampler(resampling, generator)
        features, known = self._read(batch)

        def draw(t: int, context: Tensor) -> Drawn:
            law = self.law(t, known[t], context, batch.mask[t])
            return Drawn(law.loc + law.scale * noise[t], law)

        return unroll(self.model, batch, features, draw, particles=particles, resampler=resampler)

    def rescore(self, batch: SequenceBatch, z: Tensor) -> SequenceRollout:
        """Return the rollout of given latents [(S,) T, B, H], their gradient included."""
        features, known = self._read(batch)

        def law(t: int, context: Tensor) -> StateLaw:
            return self.law(t, known[t], context, batch.mask[t])

        return unroll_at(self.model, batch, features, z, law)

    def law(self, t: int, known: Tensor, context: Tensor, mask: Tensor) -> StateLaw:
        """Return q(z_t).

        Parameters
        ----------
        t
            The step, from 0.
        known
            What is known of the data, [B, W], the same for all particles.
        context
            h_{t-1}, [S B, G].
        mask
            Which sequences have the step, [B].
        """
        particles = len(context) // len(known)
        inputs = torch.cat([known.repeat(particles, 1), context], dim=-1)
        loc, scale = gaussian_head(self.head(self.layers(inputs)), self.min_scale)
        if self.normalised is not None:
            loc = self.normalised(t, loc, mask)
        if self.residual:
            loc = self.model.prior_law(context).loc + loc
        return StateLaw(loc, scale)

    def forward(self, batch: SequenceBatch, rollout: SequenceRollout) -> None:
        """Register the site "z" of a rollout with the plates and the mask of the model."""
        if rollout.posterior is None:
            raise ConfigError("rollout: expected one of this guide, got one without a posterior")
        steps, size = batch.mask.shape
        with (
            pyro.plate("time", steps, dim=-2),
            pyro.plate("batch", size, dim=-1),
            poutine.mask(mask=batch.mask),
        ):
            pyro.sample("z", DrawnNormal(*rollout.posterior, rollout.z).to_event(1))

    def _read(self, batch: SequenceBatch) -> tuple[Tensor, Tensor]:
        """Return phi_x of each step, and what its posterior reads of the data, [T, B, W] each."""
        features = self.model.read(batch.x)
        known = features if self.reader is None else self.reader(features, batch.lengths)
        return features, known
