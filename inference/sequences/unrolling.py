"""The recurrence of a sequence model over the steps of a batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from pyro import distributions as dist
from torch import Generator, Tensor

from inference.particles import stack_steps
from inference.sequences.resampling import SystematicResampling
from models import RecurrentState, SequenceRollout, SequenceVRNN, StateLaw
from pyro_nem.data import SequenceBatch

__all__ = ["Draw", "Drawn", "Resampler", "unroll", "unroll_at"]


class Drawn(NamedTuple):
    """The latents of a step, [S B, H], and the law that they were drawn from, if any."""

    z: Tensor
    law: StateLaw | None


Draw = Callable[[int, Tensor], Drawn]
"""(number of the step, h_{t-1} [S B, G]) -> latents."""


class Resampler(NamedTuple):
    """How particles are resampled, with the source of the random numbers for it."""

    rule: SystematicResampling
    generator: Generator | None


def unroll(
    model: SequenceVRNN,
    batch: SequenceBatch,
    features: Tensor,
    draw: Draw,
    *,
    particles: int = 1,
    resampler: Resampler | None = None,
) -> SequenceRollout:
    """Run the recurrence of a model over a batch.

    Rows are the S B sequences, all of a particle side by side.

    Parameters
    ----------
    model
        Whose recurrence it is.
    batch
        T steps of B sequences.
    features
        phi_x of them, [T, B, W].
    draw
        Gives the latents of each step.
    particles
        S.
    resampler
        How particles are resampled after each step, if they are.
    """
    steps, size = batch.mask.shape
    state = model.initial(particles * size)
    log_weights = batch.x.new_zeros(particles, size)  # [S, B]
    latents, contexts, laws, flags = [], [], [], []
    for t in range(steps):
        seen = features[t].repeat(particles, 1)  # [S B, W]
        context = state.hidden
        z, law = draw(t, context)
        state = model.advance(state, seen, z)
        latents.append(z)
        contexts.append(context)
        if law is not None:
            laws.append(law)
        if resampler is None:
            continue
        with torch.no_grad():
            before = batch.x[t - 1] if t else batch.first_before
            gained = _step_weight(model, batch.x[t], before, Drawn(z, law), context)  # [S, B]
        log_weights = log_weights + gained
        # Where a sequence has ended there is nothing to resample for, whatever is gained there.
        goes_on = batch.mask[t + 1] if t + 1 < steps else torch.zeros_like(batch.mask[t])
        chosen = resampler.rule(log_weights, goes_on, resampler.generator)
        column = torch.arange(size, device=context.device)  # [B]
        rows = (chosen.ancestors * size + column).flatten()  # [S B]
        state = RecurrentState(*(part.index_select(0, rows) for part in state))
        log_weights = torch.where(chosen.happened, 0.0, log_weights)
        flags.append(chosen.happened)

    stack = partial(stack_steps, particles=particles)

    def rows_of(part: Tensor) -> Tensor:
        return part if particles == 1 else part.unflatten(0, (particles, size))

    return SequenceRollout(
        z=stack(latents),
        context=stack(contexts),
        posterior=StateLaw(stack([law.loc for law in laws]), stack([law.scale for law in laws]))
        if laws
        else None,
        final=RecurrentState(*(rows_of(part) for part in state)),
        resampled=torch.stack(flags) if flags else None,
    )


def unroll_at(
    model: SequenceVRNN,
    batch: SequenceBatch,
    features: Tensor,
    z: Tensor,
    law: Callable[[int, Tensor], StateLaw] | None = None,
) -> SequenceRollout:
    """Run the recurrence of a model over a batch with latents given.

    Parameters
    ----------
    model, batch, features
        See :func:`unroll`.
    z
        The latents, [(S,) T, B, H].
    law
        (number of the step, h_{t-1} [S B, G]) -> the law that a guide draws them from; None leaves
        it out, as the model does not read it.
    """
    particles = len(z) if z.dim() == 4 else 1
    rows = z if particles == 1 else z.transpose(0, 1).flatten(1, 2)  # [T, S B, H]

    def draw(t: int, context: Tensor) -> Drawn:
        return Drawn(rows[t], None if law is None else law(t, context))

    return unroll(model, batch, features, draw, particles=particles)


def _step_weight(
    model: SequenceVRNN, x: Tensor, before: Tensor, drawn: Drawn, context: Tensor
) -> Tensor:
    """Return log p(x_t, z_t | h_{t-1}) - log q(z_t) of the rows, [S, B]."""
    size = len(x)
    raw = model.decode(drawn.z, context).unflatten(0, (-1, size))  # [S, B, P]
    log_weight: Tensor = model.law_of_steps.law(raw, before).log_prob(x)  # [S, B]
    if drawn.law is None:
        return log_weight
    prior = dist.Normal(*model.prior_law(context)).log_prob(drawn.z)  # [S B, H]
    score = dist.Normal(*drawn.law).log_prob(drawn.z)
    difference: Tensor = (prior - score).sum(-1).unflatten(0, (-1, size))  # [S, B]
    return log_weight + difference
