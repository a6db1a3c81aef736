"""The training loss of a sequence model."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from torch import Generator, Tensor, nn
from torch.distributions import Normal, kl_divergence

from inference.bound_config import BoundConfig
from inference.bounds import EnumeratedBound
from inference.enumerated_terms import BoundTerms
from inference.regularisers import free_nats_penalty
from inference.sequences.normalised_mean import NormalisedMean
from inference.sequences.protocol import SequenceGuide
from inference.sequences.resampling import SystematicResampling, combine_resampled
from inference.sequences.unrolling import unroll_at
from models import SequenceRollout, SequenceVRNN
from pyro_nem.data import SequenceBatch
from pyro_nem.errors import ConfigError

__all__ = ["SequenceLoss", "SequenceObjective"]


class SequenceLoss(NamedTuple):
    """The loss of a batch and its parts.

    Attributes
    ----------
    loss
        The scalar to minimise, nats a step: minus the bounds of all sequences, plus what warm-up
        and free nats make of the KL, divided by :attr:`SequenceBatch.steps`.
    bound
        The bound on log p(x) of each sequence, [B], in nats.
    divergence
        KL(q(z_t) || p(z_t | h_{t-1})), 0 behind the end, [(S,) T, B]; None without latents. Without
        a gradient unless warm-up or free nats have made it a part of the loss.
    parts
        What log w consists of, by step and sequence.
    rollout
        What the guide computed.
    """

    loss: Tensor
    bound: Tensor
    divergence: Tensor | None
    parts: BoundTerms
    rollout: SequenceRollout


class SequenceObjective(nn.Module):
    """The loss of a sequence model: minus a bound on log p(x), in nats a step.

    With w_st = p(x_t, z_t | h_{t-1}) / q(z_t), and products over the whole of a sequence:

        elbo, vae   1/S sum_s log prod_t w_st
        iwae        log 1/S sum_s prod_t w_st
        fivo        that of particles resampled on the way, see :func:`combine_resampled`

    Parameters
    ----------
    model, guide
        The Pyro program and its guide.
    bound
        Which bound and gradient; the ELBO with its KL in closed form if not given.

    Raises
    ------
    ConfigError
        If parts of the bound exclude each other.
    """

    def __init__(
        self,
        model: SequenceVRNN,
        guide: nn.Module,
        *,
        bound: BoundConfig | None = None,
    ) -> None:
        super().__init__()
        self.bound = BoundConfig(divergence="analytic") if bound is None else bound
        self.model = model
        self.guide: SequenceGuide = cast(Any, guide)
        if getattr(guide, "model", model) is not model:
            raise ConfigError("guide: it was built for another model; build it with this one")
        if self.bound.objective == "trace_enum":
            raise ConfigError(
                "objective: trace_enum is for models with enumerated sites, and sequence models "
                "have none; use elbo, which is the same"
            )
        if not self.guide.stochastic and self.bound.gradient != "standard":
            raise ConfigError(
                f"gradient: {self.bound.gradient} is for models with latents; use standard"
            )
        normalised = any(isinstance(part, NormalisedMean) for part in guide.modules())
        if normalised and self.bound.gradient != "standard":
            # The second pass would move the running averages again, and sequences that share the
            # statistics of a batch have no weights of their own.
            raise ConfigError(
                f"gradient: {self.bound.gradient} scores the draws in a second pass, which a "
                "posterior with batch_norm does not repeat; use standard, or batch_norm off"
            )
        resamples = self.bound.objective == "fivo"
        self.resampling = SystematicResampling(self.bound.resample) if resamples else None
        # Contradictions show now and not in the first update.
        self._enumerated_bound(self.bound.particles)

    def forward(
        self,
        batch: SequenceBatch,
        generator: Generator | None = None,
        update: int | None = None,
        particles: int | None = None,
    ) -> SequenceLoss:
        """Run the guide and return the loss of a batch.

        Parameters
        ----------
        batch
            T steps of B sequences; what stands behind the end of one has no effect.
        generator
            Source of the guide's draws.
        update
            Number of the update, counted from 0, for the KL's warm-up; without it the KL counts in
            full and free nats do too, as when a model is scored.
        particles
            S, in place of the one that the objective was built with.
        """
        # A mask makes a density 0, but not the gradient of one that overflows.
        batch = batch._replace(x=batch.x.where(batch.mask.unsqueeze(-1), 0))
        particles = self.bound.particles if particles is None else particles
        if not self.guide.stochastic:
            particles = 1
        resampling = self.resampling if particles > 1 else None
        rollout = self.guide.rollout(batch, generator, particles, resampling)
        enumerated = self._enumerated_bound(particles)
        parts = enumerated.terms(self.model, self.guide, batch, rollout)
        if rollout.resampled is None:
            bound = enumerated.combine(parts)  # [B]
        else:
            bound = combine_resampled(parts.log_likelihood - parts.divergence, rollout.resampled)
        loss = -bound.sum() / batch.steps
        divergence = self._divergence(batch, rollout, parts, self.bound.adjusts_kl(update))
        if update is not None and divergence is not None:
            loss = loss + self._beside(divergence, batch, update) / batch.steps
        return SequenceLoss(loss, bound, divergence, parts, rollout)

    def divergence(self, batch: SequenceBatch, rollout: SequenceRollout) -> Tensor | None:
        """Return the KL of each step in closed form; see :class:`SequenceLoss`."""
        if rollout.posterior is None:
            return None
        prior = Normal(*self.model.prior_law(rollout.context))
        divergence: Tensor = kl_divergence(Normal(*rollout.posterior), prior).sum(-1)
        return divergence.where(batch.mask, 0.0)

    def _divergence(
        self, batch: SequenceBatch, rollout: SequenceRollout, parts: BoundTerms, adjusted: bool
    ) -> Tensor | None:
        """Return the KL of each step, with a gradient if it is a part of the loss."""
        if rollout.posterior is not None and self.bound.divergence == "analytic":
            divergence = parts.divergence.view(rollout.z.shape[:-1])
            return divergence if adjusted else divergence.detach()
        # Not left to who measures it: by then the update has changed the prior.
        with torch.set_grad_enabled(adjusted and torch.is_grad_enabled()):
            return self.divergence(batch, rollout)

    def _beside(self, divergence: Tensor, batch: SequenceBatch, update: int) -> Tensor:
        """Return what warm-up and free nats add to the loss of a batch."""
        draws = divergence.reshape(-1, *batch.mask.shape)  # [S, T, B]
        weight = self.bound.kl_weight(update)
        added = (weight - 1.0) * draws
        if self.bound.free_nats > 0.0:
            # weight * max(KL, free nats): what warms up is the whole of it.
            free = free_nats_penalty(draws.unsqueeze(-1), self.bound.free_nats)  # [S, T, B]
            added = added + weight * free.where(batch.mask, 0.0)
        return added.mean(0).sum()

    def _enumerated_bound(self, particles: int) -> EnumeratedBound:
        def rescore(args: tuple[Any, ...], draws: dict[str, Tensor]) -> tuple[Any, ...]:
            guide: Any = self.guide
            return args[0], guide.rescore(args[0], draws["z"])

        def rescore_model(args: tuple[Any, ...], draws: dict[str, Tensor]) -> tuple[Any, ...]:
            batch: SequenceBatch = args[0]
            features = self.model.read(batch.x)
            return batch, unroll_at(self.model, batch, features, draws["z"])

        name = self.bound.objective
        return EnumeratedBound(
            cast(Any, "iwae" if name == "fivo" else name),
            particles=particles,
            gradient=self.bound.gradient,
            divergence=self.bound.divergence,
            max_plate_nesting=self.model.max_plate_nesting,
            rescore=rescore,
            rescore_model=rescore_model,
        )
