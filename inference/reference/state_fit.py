"""Free-form variational inference: every state of a clip has parameters of its own."""

from __future__ import annotations

from typing import Literal, NamedTuple

import pyro
import torch
from pyro import poutine
from pyro.infer.autoguide import AutoDelta, AutoGuide, AutoNormal, init_to_value
from torch import Tensor

from inference.bounds import EnumeratedBound
from inference.enumerated_trace import frozen
from inference.reference.common import (
    blocks,
    isolated,
    mean_and_error,
    pick,
    require_own_prior,
    state_responsibilities,
    tile,
)
from models import SpatialMixture, StateLaw
from pyro_nem.checks import at_least, one_of
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError, NumericalError

__all__ = ["Family", "StateFit", "fit_states"]

Family = Literal["normal", "delta"]


class StateFit(NamedTuple):
    """States fitted to each sequence on its own, the best of several starts.

    Attributes
    ----------
    bound
        normal: a lower bound on log p(x). delta: log p(x, theta) at the fitted states, which is
        log p(x | theta) under a uniform prior. [B], in nats.
    standard_error
        Monte Carlo error of ``bound``, [B], in nats; 0 for delta, NaN for a single draw.
    theta
        Draws of q, [S, T, B, K, H]; the fitted states themselves, with S = 1, for delta.
    gamma
        Responsibilities p(z | theta, x) at the draws, [S, T, B, K, D].
    posterior
        normal: q itself, [T, B, K, H] each, in unconstrained coordinates: theta where the prior
        lives on the real line, logit(theta) where it lives on the unit cube. delta: None.
    starts
        The part of the bound that each start reached at each step, by draws of its own, [R, T, B],
        in nats. Where starts disagree, the posterior has several modes, and there may be better
        ones still, or ``updates`` were too few.
    """

    bound: Tensor
    standard_error: Tensor
    theta: Tensor
    gamma: Tensor
    posterior: StateLaw | None
    starts: Tensor


def fit_states(
    model: SpatialMixture,
    clip: Clip,
    *,
    family: Family = "normal",
    updates: int = 500,
    learning_rate: float = 0.05,
    particles: int = 8,
    draws: int = 200,
    restarts: int = 1,
    seed: int = 0,
    initial: Tensor | None = None,
) -> StateFit:
    """Fit the states of every sequence with Pyro's AutoNormal or AutoDelta, z enumerated.

    What a guide computes by a network is here optimised for each datum, with the model's parameters
    held fixed: the best that a guide of the same family could do. The states of different steps,
    components and coordinates are independent under q.

    Components start at draws from the prior, which tells them apart. All starts run side by side as
    one batch; nothing ties them, so each comes out as it would alone. For every step of a sequence
    the best start is kept (steps are independent in model and q), and its bound is estimated again
    with other draws, so that the choice does not bias it.

    Parameters
    ----------
    model
        The spatial mixture. Its parameters stay as they are.
    clip
        What to explain. Only the targets are read; what a guide sees (``clip.inputs``) is not.
    family
        "normal": a diagonal Gaussian, through a sigmoid where the prior lives on the unit cube.
        "delta": the mode of p(theta | x) as a density of theta itself, without a Jacobian.
    updates
        Steps of Adam; the step size falls to 0 along a cosine.
    learning_rate
        Its step size at the start, in unconstrained coordinates.
    particles
        Draws an update; delta needs no more than one.
    draws
        S, draws that the bound is estimated with and that are returned. They hold S T B K D
        responsibilities.
    restarts
        Starts from the prior.
    seed
        Fixes the numbers.
    initial
        States to start from besides, [T, B, K, H], within the prior's support.

    Raises
    ------
    ConfigError
        If an argument is out of range, or there are several steps and the prior depends on a
        guide's recurrence (:class:`models.RecurrentPrior`).
    NumericalError
        If no start of some sequence ends at a finite bound.
    """
    one_of(Family, family=family)
    at_least(1, updates=updates, particles=particles, draws=draws)
    at_least(0 if initial is not None else 1, restarts=restarts)
    if not learning_rate > 0.0:
        raise ConfigError(f"learning_rate: expected a positive number, got {learning_rate}")
    require_own_prior(model, clip)
    if family == "delta":
        particles = draws = 1
    with isolated(seed), frozen(model):
        start = _draw_starts(model, clip, restarts, initial)  # [T, R B, 1, K, H]
        copies = restarts + (initial is not None)
        tiled = tile(clip, copies)
        guide = _build(model, tiled, family, start)
        _train(model, guide, tiled, updates, learning_rate, particles)
        starts = _weigh(model, guide, tiled, draws).unflatten(-1, (copies, -1)).mean(0)
        starts = starts.transpose(0, 1)  # [R, T, B]
        best = _choose(starts)  # [T, B]
        again = _by_start(_weigh(model, guide, tiled, draws), copies, dim=2)  # [R, T, B, S]
        weights = pick(again, best).sum(0).T  # [S, B]
        bound, error = mean_and_error(weights)  # [B] each
        if family == "delta":
            error = torch.zeros_like(bound)  # nothing is drawn
        states = _by_start(_draw(model, guide, tiled, draws), copies, dim=2)  # [R, T, B, S, K, H]
        theta = pick(states, best).movedim(2, 0)  # [S, T, B, K, H]
        posterior = _posterior(guide, copies, best)
    gamma = state_responsibilities(model, clip, theta)  # [S, T, B, K, D]
    return StateFit(bound, error, theta, gamma, posterior, starts)


def _choose(starts: Tensor) -> Tensor:
    """Return which of R starts [R, T, B] is the best, [T, B]."""
    # A start that diverged is no reason to lose the others.
    finite = starts.nan_to_num(nan=-torch.inf, posinf=-torch.inf)
    best = finite.argmax(0)  # [T, B]
    lost = ~finite.amax(0).isfinite().all(0)  # [B]
    if lost.any():
        raise NumericalError(
            "bound: free-form inference ended at no finite number for the sequences "
            f"{lost.nonzero().flatten().tolist()}; check that the targets are finite, or take a "
            "smaller learning_rate"
        )
    return best


def _by_start(values: Tensor, copies: int, dim: int) -> Tensor:
    """Return [S, T, R B, ...] or, with ``dim`` 1, [T, R B, ...] as [R, T, B, (S,) ...]."""
    apart: Tensor = values.unflatten(dim, (copies, -1))  # [(S,) T, R, B, ...]
    return apart.movedim((dim, dim - 1, dim + 1), (0, 1, 2))


@torch.no_grad()
def _draw_starts(
    model: SpatialMixture, clip: Clip, restarts: int, initial: Tensor | None
) -> Tensor:
    """Return draws from the prior and the given states, [T, R B, 1, K, H]."""
    steps, batch = clip.targets.shape[:2]
    shape = (steps, batch, model.num_components, model.state_size)
    if initial is not None and initial.shape != shape:
        raise ConfigError(
            f"initial: expected states of shape [T, B, K, H] = {list(shape)}, got "
            f"{list(initial.shape)}"
        )
    parts = [] if initial is None else [initial.detach().unsqueeze(-3)]
    if restarts:
        trace = poutine.trace(model).get_trace(steps=steps, batch=restarts * batch)
        parts.append(trace.nodes["theta"]["value"])
    return torch.cat(parts, dim=1)


def _build(model: SpatialMixture, clip: Clip, family: Family, start: Tensor) -> AutoGuide:
    program = poutine.block(model, hide=["z"])
    init = init_to_value(values={"theta": start})
    if family == "normal":
        guide = AutoNormal(program, init_loc_fn=init)
    else:
        guide = AutoDelta(program, init_loc_fn=init)
    guide(clip)  # parameters come to be in the first run
    return guide


def _train(
    model: SpatialMixture,
    guide: AutoGuide,
    clip: Clip,
    updates: int,
    learning_rate: float,
    particles: int,
) -> None:
    bound = EnumeratedBound(particles=particles, max_plate_nesting=model.max_plate_nesting)
    optimiser = torch.optim.Adam(guide.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, updates)
    # The model and the guide have run once with their arguments checked, to be set up.
    with pyro.validation_enabled(False):
        for _ in range(updates):
            optimiser.zero_grad()
            bound.differentiable_loss(model, guide, clip).backward()
            optimiser.step()
            schedule.step()


@torch.no_grad()
def _weigh(model: SpatialMixture, guide: AutoGuide, clip: Clip, draws: int) -> Tensor:
    """Return the log-weights of independent draws, step by step, [S, T, B]."""
    found = []
    with pyro.validation_enabled(False):
        for size in blocks(draws, model, clip):
            bound = EnumeratedBound(particles=size, max_plate_nesting=model.max_plate_nesting)
            terms = bound.terms(model, guide, clip)
            found.append(terms.log_likelihood - terms.divergence)
    return torch.cat(found)


@torch.no_grad()
def _draw(model: SpatialMixture, guide: AutoGuide, clip: Clip, draws: int) -> Tensor:
    """Return draws of q, [S, T, B, K, H]."""
    with pyro.plate("draws", draws, dim=-1 - model.max_plate_nesting):
        theta: Tensor = guide(clip)["theta"]  # [S, T, B, 1, K, H]
    return theta.expand(draws, *theta.shape[-5:]).squeeze(-3)


@torch.no_grad()
def _posterior(guide: AutoGuide, copies: int, best: Tensor) -> StateLaw | None:
    if not isinstance(guide, AutoNormal):
        return None
    parts = (guide.locs.theta, guide.scales.theta)  # [T, R B, 1, K, H] each
    kept = (pick(_by_start(part.detach(), copies, dim=1), best) for part in parts)
    return StateLaw(*(part.squeeze(-3) for part in kept))  # [T, B, K, H] each
