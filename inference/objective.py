"""The training loss: a bound with the regularisers beside it."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from pyro.infer import TraceEnum_ELBO
from torch import Generator, Tensor, nn

from inference.bound_config import BoundConfig
from inference.bounds import EnumeratedBound
from inference.enumerated_terms import BoundTerms
from inference.guides import Guide
from inference.regularisers import free_nats_penalty, inter_cluster, state_divergence
from inference.step_weights import StepWeights, resolve_step_weights, weigh_steps
from models import Rollout, SpatialMixture
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError

__all__ = ["LossTerms", "NEMObjective"]


class LossTerms(NamedTuple):
    """The loss of a batch and its parts, in nats a sequence, with the guide's rollout.

    Attributes
    ----------
    loss
        The scalar to minimise: ``negative_bound`` plus the weighted regularisers.
    negative_bound
        The step-weighted negative bound, averaged over the batch.
    inter
        The step-weighted inter-cluster term, averaged over the batch.
    rollout
        What the guide computed, for metrics and figures.
    divergence
        KL(q(theta_tk) || p(theta_tk)) of every component, [(S,) T, B, K]; None for point masses.
        Without a gradient unless warm-up or free nats have made it a part of the loss.
    parts
        What log w consists of, by step and sequence; None where Pyro computed the bound.
    """

    loss: Tensor
    negative_bound: Tensor
    inter: Tensor
    rollout: Rollout
    divergence: Tensor | None
    parts: BoundTerms | None


class NEMObjective(nn.Module):
    """The loss of neural expectation maximization, summed over steps, averaged over the batch.

    sum_t w_t (-log p(x_{t+1} | psi_t) + inter_weight * inter_t), where the first part is a bound
    that :class:`inference.BoundConfig` names: under a guide of Delta states and the uniform prior
    of the model it is the exact log-likelihood of the mixture, and its gradient is the gradient of
    EM's expected log-likelihood with gamma held fixed (Fisher's identity). Warm-up and free nats of
    a stochastic guide's KL stand beside the bound as well, so that the bound stays one.

    Parameters
    ----------
    model, guide
        The Pyro program and its guide.
    inter_weight
        Weight of the inter-cluster term, >= 0 (1 in the paper; 0.2 for flying MNIST).
    step_weights
        See :func:`resolve_step_weights`.
    bound
        Which bound and gradient; the ELBO with one particle if not given.

    Raises
    ------
    ConfigError
        If ``inter_weight`` is negative or not finite, or parts of the bound exclude each other.
    """

    def __init__(
        self,
        model: SpatialMixture,
        guide: nn.Module,
        *,
        inter_weight: float = 1.0,
        step_weights: StepWeights = "all",
        bound: BoundConfig | None = None,
    ) -> None:
        super().__init__()
        if not 0.0 <= inter_weight < float("inf"):
            raise ConfigError(f"inter_weight: expected a finite number >= 0, got {inter_weight}")
        if getattr(guide, "model", model) is not model:
            raise ConfigError(
                "guide: it was built for another model, whose decoder it would use; build it with "
                "the model that is given here"
            )
        self.bound = BoundConfig() if bound is None else bound
        if self.bound.objective == "fivo":
            raise ConfigError(
                "objective: fivo resamples the particles of sequence models (inference.sequences) "
                "from step to step; mixtures have iwae"
            )
        _check_estimator(self.bound, guide)
        self.model = model
        self.guide: Guide = cast(Any, guide)
        self.inter_weight = inter_weight
        self.step_weights = step_weights
        # Contradictions show now and not in the first update; weights of other steps are alike.
        steps = 2 if isinstance(step_weights, str) else len(step_weights)
        self._enumerated_bound(resolve_step_weights(step_weights, steps), 1)

    def forward(
        self,
        clip: Clip,
        generator: Generator | None = None,
        update: int | None = None,
        particles: int | None = None,
    ) -> LossTerms:
        """Run the guide and return the loss of a clip.

        Parameters
        ----------
        clip
            Noisy inputs and clean targets, [T, B, D, C].
        generator
            Source of the guide's initial responsibilities and draws.
        update
            Number of the update, counted from 0, for the KL's warm-up; without it the KL counts in
            full and free nats do too, as when a model is scored.
        particles
            S, in place of the one that the objective was built with.
        """
        steps = clip.targets.shape[0]
        weights = resolve_step_weights(self.step_weights, steps)
        particles = self.bound.particles if particles is None else particles
        if not getattr(self.guide, "stochastic", True):
            # Draws of a point mass are all alike.
            particles = 1
        rollout = self.guide.rollout(clip, generator, particles)
        parts: BoundTerms | None = None
        if self.bound.objective == "trace_enum":
            negative_bound = self._trace_enum(clip, rollout, weights, particles)
        else:
            enumerated = self._enumerated_bound(weights, particles)
            parts = enumerated.terms(self.model, self.guide, clip, rollout)
            negative_bound = -enumerated.combine(parts).mean()
        loss = negative_bound
        inter = clip.targets.new_zeros(())
        if self.inter_weight > 0.0:
            inter = _weigh(inter_cluster(self.model, rollout, clip.observed), weights)
            loss = loss + self.inter_weight * inter
        adjusted = self.bound.adjusts_kl(update)
        with torch.set_grad_enabled(adjusted and torch.is_grad_enabled()):
            # Detached too: PyTorch's FLOP counter trips over inputs that could have a gradient.
            measured = rollout if adjusted else rollout.detach()
            divergence = state_divergence(self.model, measured)  # [(S,) T, B, K]
        if update is not None and divergence is not None:
            excess = self.bound.kl_weight(update) - 1.0
            if excess < 0.0:
                loss = loss + excess * _weigh(divergence.sum(-1), weights)
            if self.bound.free_nats > 0.0:
                free = free_nats_penalty(divergence, self.bound.free_nats)  # [(S,) T, B]
                # weight * max(KL, free nats): what warms up is the whole of it.
                loss = loss + self.bound.kl_weight(update) * _weigh(free, weights)
        return LossTerms(loss, negative_bound, inter, rollout, divergence, parts)

    def _enumerated_bound(self, weights: tuple[float, ...], particles: int) -> EnumeratedBound:
        def rescore(args: tuple[Any, ...], draws: dict[str, Tensor]) -> tuple[Any, ...]:
            clip, rollout = args
            guide: Any = self.guide
            return clip, guide.rescore(clip, rollout, draws["theta"].squeeze(-3))

        name = self.bound.objective
        return EnumeratedBound(
            cast(Any, "elbo" if name == "trace_enum" else name),
            particles=particles,
            gradient=self.bound.gradient,
            divergence=self.bound.divergence,
            max_plate_nesting=self.model.max_plate_nesting,
            step_weights=weights,
            rescore=rescore,
        )

    def _trace_enum(
        self, clip: Clip, rollout: Rollout, weights: tuple[float, ...], particles: int
    ) -> Tensor:
        """Return Pyro's negative ELBO, averaged over the batch."""
        elbo = TraceEnum_ELBO(
            num_particles=particles,
            vectorize_particles=True,
            max_plate_nesting=self.model.max_plate_nesting,
        )
        total = clip.targets.new_zeros(())
        # Pyro's enumeration allows no real scale within a model, so steps of equal weight form
        # one bound each; given the states, the steps are independent.
        for weight in sorted(set(weights) - {0.0}):
            chosen = [t for t, w in enumerate(weights) if w == weight]
            args = _at(clip, rollout, chosen)
            if torch.is_grad_enabled():
                part = elbo.differentiable_loss(self.model, self.guide, *args)
            else:
                # Pyro's differentiable loss refuses to run without gradients; its plain one runs.
                part = elbo.loss(self.model, self.guide, *args)
            total = total + weight * part
        return total / clip.targets.shape[1]


def _check_estimator(bound: BoundConfig, guide: nn.Module) -> None:
    """Check that a guide has what the bound's gradient needs.

    Raises
    ------
    ConfigError
        If it has no density, cannot be scored again, or cuts off what the estimator needs.
    """
    name = type(guide).__name__
    plain = bound.gradient == "standard"
    if not getattr(guide, "stochastic", True) and (not plain or bound.divergence == "analytic"):
        asked = bound.divergence if plain else bound.gradient
        raise ConfigError(
            f"bound: {asked} is for guides whose states have a density, but those of {name} are "
            f"point masses; use {'sampled' if plain else 'standard'}, or the guide VRNN"
        )
    if not plain and not hasattr(guide, "rescore"):
        raise ConfigError(
            f"gradient: {bound.gradient} scores the guide again at its draws, but {name} has no "
            "method rescore; derive it from RecurrentGuide, or use standard"
        )
    for option in ("gradient_gamma", "gradient_psi"):
        if bound.gradient == "dreg" and not getattr(guide, option, True):
            raise ConfigError(
                f"gradient: dreg follows every draw to what it changes later, but {name} has "
                f"{option} off, which would bias it; build the guide with {option}=True, or use "
                "standard"
            )


def _weigh(per_frame: Tensor, weights: tuple[float, ...]) -> Tensor:
    """Return the step-weighted sum of [(S,) T, B], averaged over sequences and particles."""
    return weigh_steps(per_frame, weights, dim=-2).mean()


def _at(clip: Clip, rollout: Rollout, chosen: list[int]) -> tuple[Clip, Rollout]:
    if len(chosen) == clip.targets.shape[0]:
        return clip, rollout
    steps = torch.tensor(chosen, device=clip.targets.device)
    return clip.at(steps), rollout.at(steps)
