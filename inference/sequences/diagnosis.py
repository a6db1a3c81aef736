"""The posterior of a sequence model in ArviZ's schema."""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr

from inference.diagnostics.attributes import attributes_of
from inference.diagnostics.schema import Arrays
from inference.diagnostics.tree import build_tree, join_batches
from inference.sequences.diagnosis_batch import Amount, describe_batch
from inference.sequences.diagnosis_schema import SEQUENCE_VARIABLES
from inference.sequences.generation import draw_sequences
from inference.sequences.objective import SequenceObjective
from inference.streams import Stream, update_seed
from pyro_nem.checks import at_least
from pyro_nem.data import SequenceSet, arrays_sha256, padded_batches
from pyro_nem.errors import ConfigError

__all__ = ["diagnose_sequences"]


def diagnose_sequences(
    objective: SequenceObjective,
    data: SequenceSet,
    *,
    sequences: int = 20,
    restarts: int = 4,
    draws: int = 50,
    kept_draws: int = 25,
    shown_sequences: int = 3,
    shown_steps: int = 48,
    rows_at_once: int = 256,
    seed: int = 0,
) -> xr.DataTree:
    """Describe what a guide believes of each sequence, for ArviZ and :mod:`inference.diagnostics`.

    A draw is a particle of the guide, not weighted and not resampled; a chain is a set of particles
    with a seed of its own. All have weights; latents, replicates and likelihoods are stored of the
    first particles only, and latents and replicates of the first steps of a few sequences, the
    shown ones. Steps count from 1. What stands behind the end of a sequence is NaN. Every variable
    tells its meaning in its attribute ``description``.

    ``log_likelihood`` is log p(x_t | z_t, h_{t-1}) of a particle; its sum over steps is log p(x |
    z). It is not what PSIS-LOO wants: h has read all steps before t and z_t the step itself, so to
    leave a step out would change all that follow.

    Parameters
    ----------
    objective
        Model and guide; which bound they were trained with does not matter.
    data
        The sequences.
    sequences
        Describe so many, the first ones, or all if there are fewer.
    restarts
        Chains. Active latents need two.
    draws
        Particles of each chain, at least two.
    kept_draws
        Of so many of them latents, replicates and likelihoods are stored.
    shown_sequences, shown_steps
        Of so many sequences and steps latents and replicates are stored.
    rows_at_once
        Particles of several sequences are computed together, as many as this, and one sequence at
        least.
    seed
        Seed of the draws.

    Returns
    -------
    xr.DataTree
        The groups ``posterior``, ``posterior_predictive``, ``prior_predictive``,
        ``log_likelihood``, ``sample_stats``, ``observed_data`` and ``constant_data``.

    Raises
    ------
    ConfigError
        If a number is out of range, the data do not fit the model, or it has no latents.
    DataError
        If the data hold what the output law has no density for.
    """
    at_least(
        1,
        sequences=sequences,
        restarts=restarts,
        kept_draws=kept_draws,
        shown_sequences=shown_sequences,
        shown_steps=shown_steps,
        rows_at_once=rows_at_once,
    )
    at_least(2, draws=draws)
    if kept_draws > draws:
        raise ConfigError(f"kept_draws: expected at most the {draws} draws, got {kept_draws}")
    if not objective.guide.stochastic:
        raise ConfigError(
            "objective: expected a model with latents, got one without, which has an exact "
            "likelihood and no posterior; score it with score_sequences"
        )
    source = data.first(sequences)
    objective.model.check(source)
    longest = max(len(sequence) for sequence in source.sequences)
    like = next(objective.parameters())
    parts: list[Arrays] = []
    count = 0
    for index, batch in enumerate(padded_batches(source, batch_size=max(1, rows_at_once // draws))):
        size = len(batch.lengths)
        amount = Amount(
            draws,
            kept_draws,
            longest,
            shown=min(max(0, shown_sequences - count), size),
            shown_steps=min(shown_steps, longest),
        )
        generators = [
            torch.Generator(like.device).manual_seed(
                update_seed(seed, Stream.DIAGNOSIS, index * restarts + chain)
            )
            for chain in range(restarts)
        ]
        parts.append(describe_batch(objective, batch.to(like), amount, generators))
        count += size
    arrays = join_batches(parts, variables=SEQUENCE_VARIABLES)
    prior = draw_sequences(
        objective,
        kept_draws,
        min(shown_steps, longest),
        seed=update_seed(seed, Stream.DIAGNOSIS, len(parts) * restarts),
    )  # [T, B, D]
    arrays["prior_predictive/x"] = prior.transpose(0, 1).float().cpu().numpy()[None]
    return build_tree(
        arrays,
        None,
        {"step": np.arange(1, longest + 1), "shown_step": np.arange(1, prior.shape[0] + 1)},
        attributes_of(
            source.name,
            arrays_sha256(source.scaled()),
            objective.model,
            objective.guide,
            seed,
            unit="sequence",
        ),
        SEQUENCE_VARIABLES,
    )
