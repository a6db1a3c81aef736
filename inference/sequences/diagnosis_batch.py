"""The posterior of one batch of sequences, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import pyro
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from inference.bound_config import BoundConfig
from inference.bounds import combine
from inference.diagnostics.schema import Arrays
from inference.modes import as_trained
from inference.seeded import drawn_seed, seeded
from inference.sequences.objective import SequenceObjective
from pyro_nem.data import SequenceBatch

__all__ = ["Amount", "describe_batch"]


class Amount(NamedTuple):
    """How much is drawn and stored of a batch.

    Attributes
    ----------
    draws
        S, particles of each chain.
    kept
        Of how many of them latents and likelihoods are stored, the first ones.
    steps
        T of the longest sequence of all batches.
    shown, shown_steps
        How many sequences of the batch are stored at full resolution, and how many of their steps.
    """

    draws: int
    kept: int
    steps: int
    shown: int
    shown_steps: int


def describe_batch(
    objective: SequenceObjective,
    batch: SequenceBatch,
    amount: Amount,
    generators: Sequence[Generator],
) -> Arrays:
    """Draw particles of a batch and describe them; what stands behind an end is NaN.

    Parameters
    ----------
    objective
        Model and guide.
    batch
        T steps of B sequences.
    amount
        How much to draw and store.
    generators
        The source of the draws of each chain.

    Returns
    -------
    Arrays
        The variables of :data:`SEQUENCE_VARIABLES` but for the prior's.
    """
    weighted = SequenceObjective(
        objective.model, cast(Any, objective.guide), bound=BoundConfig("iwae", amount.draws)
    )
    with as_trained(weighted), torch.no_grad(), pyro.validation_enabled(False):
        chains = [_chain(weighted, batch, amount, generator) for generator in generators]
    found = {path: np.stack([chain[path] for chain in chains]) for path in chains[0]}
    found["constant_data/length"] = batch.lengths.cpu().numpy().astype(np.int32)
    if amount.shown:
        part = _first(batch, amount)
        found["observed_data/x"] = _by_sequence(part.x[None], part.mask, amount.shown_steps)[0]
    return found


def _chain(
    weighted: SequenceObjective, batch: SequenceBatch, amount: Amount, generator: Generator
) -> Arrays:
    """Return the variables of a chain, without its axis."""
    model = weighted.model
    terms = weighted(batch, generator)
    rollout = terms.rollout
    likelihood, divergence = (part.double() for part in terms.parts)  # [S, T, B]
    log_weight = (likelihood - divergence).sum(1)  # [S, B]
    prior = model.prior_law(rollout.context)
    shift = (rollout.posterior.loc - prior.loc) / prior.scale  # [S, T, B, H]
    means = {"kl": terms.divergence, "location_z": shift}
    found = {
        "log_likelihood/x": _by_sequence(likelihood[: amount.kept], batch.mask, amount.steps),
        "sample_stats/log_weight": log_weight.cpu().numpy(),
        "sample_stats/elbo": combine("elbo", log_weight).cpu().numpy(),
        "sample_stats/iwae": combine("iwae", log_weight).cpu().numpy(),
    }
    for name, values in means.items():
        mean = values.mean(0, keepdim=True)  # [1, T, B, ..]
        found[f"sample_stats/{name}"] = _by_sequence(mean, batch.mask, amount.steps)[0]
    if amount.shown:
        part = _first(batch, amount)
        z, context = (
            values[: amount.kept, : amount.shown_steps, : amount.shown]
            for values in (rollout.z, rollout.context)
        )
        with seeded(drawn_seed(generator)):
            x = model.step_laws(part, z, context).sample()  # [Q, T, B, D]
        for path, values in (("posterior/z", z), ("posterior_predictive/x", x)):
            found[path] = _by_sequence(values, part.mask, amount.shown_steps)
    return found


def _first(batch: SequenceBatch, amount: Amount) -> SequenceBatch:
    """Return what is shown of a batch."""
    place = (slice(amount.shown_steps), slice(amount.shown))
    lengths = batch.lengths[: amount.shown].clamp(max=amount.shown_steps)
    before = None if batch.before is None else batch.before[: amount.shown]
    return SequenceBatch(batch.x[place], batch.mask[place], lengths, before=before)


def _by_sequence(values: Tensor, mask: Tensor, steps: int) -> NDArray[Any]:
    """Return [S, T, B, ..] as [S, B, steps, ..], float32, NaN behind the end of a sequence."""
    present = mask.reshape(*mask.shape, *(1 for _ in values.shape[3:]))  # [T, B, ..]
    known = torch.where(present, values.float(), torch.nan).transpose(1, 2)  # [S, B, T, ..]
    stored = known.new_full((*known.shape[:2], steps, *known.shape[3:]), torch.nan)
    stored[:, :, : known.shape[2]] = known
    return stored.cpu().numpy()
