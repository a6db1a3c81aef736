"""What a guide loses by computing its states with a network."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from inference.bounds import EnumeratedBound
from inference.reference.common import (
    blocks,
    mean_and_error,
    pick,
    require_own_prior,
    tile,
)
from inference.reference.state_fit import StateFit, fit_states
from inference.seeded import seeded
from models import Rollout, SpatialMixture
from pyro_nem.checks import at_least
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError

__all__ = ["AmortisationGap", "amortisation_gap"]


class AmortisationGap(NamedTuple):
    """The bound of free-form inference minus that of a guide, sequence by sequence.

    Attributes
    ----------
    gap
        ``fit.bound - guide_bound``, [B], in nats. Negative within the error, or where the free-form
        fit has not converged.
    standard_error
        Its Monte Carlo error, [B], in nats; NaN for a single run of the guide.
    guide_bound
        The guide's mean bound over its draws and first responsibilities, [B], in nats.
    guide_standard_error
        Its Monte Carlo error, [B], in nats.
    fit
        The free-form fit.
    """

    gap: Tensor
    standard_error: Tensor
    guide_bound: Tensor
    guide_standard_error: Tensor
    fit: StateFit


def amortisation_gap(
    model: SpatialMixture,
    guide: nn.Module,
    clip: Clip,
    *,
    draws: int = 200,
    updates: int = 500,
    learning_rate: float = 0.05,
    particles: int = 8,
    restarts: int = 4,
    seed: int = 0,
) -> AmortisationGap:
    """Hold a guide against the best states of its family, fitted to each sequence.

    The family is the guide's own, because only then do both numbers mean the same:

    - a guide with Gaussian states (VRNN; images only, T = 1): AutoNormal. Both are bounds on
      log p(x), and the gap is KL(q_guide || p(theta | x)) - KL(q_fit || p(theta | x)). How far the
      family itself is from the posterior is not in it (Cremer et al. 2018 call that the
      approximation gap), nor are the up to log K! nats that any q loses which numbers the
      components in one way.
    - a guide of point masses: AutoDelta. Both are log p(x, theta), under the uniform prior
      log p(x | theta), at two points of the unit cube; as densities of theta itself, without the
      Jacobian of any map to the cube. The gap is how much log-likelihood the guide's M-step leaves.
      The fitted states are the ones of maximum likelihood, noise and all, so that more of the gap
      is overfitting the larger the states are.

    In both cases the gap includes what the guide does not see. Free-form states explain
    ``clip.targets``, having seen them; the guide computes theta_t from ``clip.inputs`` up to frame
    t, noise included, and from the responsibilities of earlier steps. With noise or moving frames
    even the best guide keeps a gap: what it could not know.

    The guide's bound is the mean over ``draws`` runs, each with first responsibilities of its own.
    One start of the fit is at the guide's best run of each step, so that starts which got stuck
    elsewhere do not flatter the guide.

    Parameters
    ----------
    model, guide
        Their parameters stay as they are.
    clip
        What to explain, with the guide's inputs.
    draws
        S, runs of the guide, and draws for the bound of the fit.
    updates, learning_rate, particles, restarts
        See :func:`inference.fit_states`.
    seed
        Fixes the numbers.

    Raises
    ------
    ConfigError
        If the guide belongs to another model or starts its recurrence elsewhere than at 0, and for
        the reasons of :func:`inference.fit_states`.
    NumericalError
        If no start of some sequence ends at a finite bound.
    """
    at_least(1, draws=draws)
    require_own_prior(model, clip)
    if getattr(guide, "model", model) is not model:
        raise ConfigError(
            "guide: it was built for another model, whose decoder it would use; build it with the "
            "model that is given here"
        )
    weights, theta, stochastic = _run_guide(model, guide, clip, draws, seed)
    guide_bound, guide_error = mean_and_error(weights)  # [B] each
    fit = fit_states(
        model,
        clip,
        family="normal" if stochastic else "delta",
        updates=updates,
        learning_rate=learning_rate,
        particles=particles,
        draws=draws,
        restarts=restarts,
        seed=seed,
        initial=theta,
    )
    error = torch.hypot(fit.standard_error, guide_error)  # [B]
    return AmortisationGap(fit.bound - guide_bound, error, guide_bound, guide_error, fit)


def _run_guide(
    model: SpatialMixture, guide: nn.Module, clip: Clip, draws: int, seed: int
) -> tuple[Tensor, Tensor, bool]:
    """Return log-weights [S, B], the best run's states of each step [T, B, K, H], and if drawn.

    Runs lie side by side in the batch: so each has first responsibilities of its own, which
    particles have not.
    """
    bound = EnumeratedBound(max_plate_nesting=model.max_plate_nesting)
    batch = clip.targets.shape[1]
    weights, states = [], []
    stochastic = False
    program: Any = guide
    with seeded(seed), torch.no_grad():
        generator = torch.Generator(clip.targets.device).manual_seed(seed)
        for size in blocks(draws, model, clip):
            tiled = tile(clip, size)
            rollout: Rollout = program.rollout(tiled, generator)
            if rollout.context is not None and rollout.context.any():
                raise ConfigError(
                    "guide: its recurrence starts at another state than 0, where the model's prior "
                    "is another one than that of free-form inference; use a cell whose initial "
                    "state is 0"
                )
            terms = bound.terms(model, guide, tiled, rollout)
            parts = (terms.log_likelihood - terms.divergence)[0]  # [T, S B]
            weights.append(parts.unflatten(1, (size, batch)).transpose(0, 1))  # [S, T, B]
            law = rollout.posterior
            stochastic = law is not None
            theta = rollout.theta if law is None else law.loc  # [T, S B, K, H]
            states.append(theta.unflatten(1, (size, batch)).transpose(0, 1))  # [S, T, B, K, H]
    found, theta = torch.cat(weights), torch.cat(states)
    return found.sum(1), pick(theta, found.argmax(0)), stochastic
