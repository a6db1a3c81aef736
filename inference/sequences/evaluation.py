"""Bounds on the log-likelihood of sequences, of any checkpoint, whatever it was trained with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pyro
import torch
from torch import Tensor

from inference.bound_config import BoundConfig
from inference.modes import as_trained
from inference.particle_counts import particle_counts
from inference.processes import ALONE, Processes
from inference.sequences.objective import SequenceObjective
from inference.streams import Stream, update_seed
from pyro_nem.checks import at_least
from pyro_nem.data import SequenceSet, padded_batches
from pyro_nem.metrics import standard_errors

__all__ = ["SequenceScores", "score_objective", "score_sequences"]


class SequenceScores(NamedTuple):
    """Scores of a set of sequences.

    Attributes
    ----------
    values
        Of every sequence, in nats: bounds on log p(x) by name, and "kl"; name -> [N].
    steps
        Steps of every sequence, [N].
    """

    values: dict[str, Tensor]
    steps: Tensor

    @property
    def nats_per_step(self) -> dict[str, float]:
        """Sums over all sequences divided by the number of all steps.

        Bounds with their sign turned, so that they are bounds on the negative log-likelihood as
        tables have them; the lower the better.
        """
        total = self.steps.sum()
        sums = {name: (values.sum() / total).item() for name, values in self.values.items()}
        return {name: value if name == "kl" else -value for name, value in sums.items()}

    @property
    def errors(self) -> dict[str, float]:
        """Standard errors of these over the sequences, those of ratios; NaN for a single one."""
        steps = self.steps.double()
        ratios = {name: values.sum() / steps.sum() for name, values in self.values.items()}
        return {
            name: (standard_errors((values - ratios[name] * steps).numpy()) / steps.mean()).item()
            for name, values in self.values.items()
        }


def score_objective(
    objective: SequenceObjective,
    data: SequenceSet,
    *,
    rows_at_once: int = 256,
    seed: int = 0,
    processes: Processes = ALONE,
) -> SequenceScores:
    """Score sequences by an objective's own bound, "bound", and by its KL, without gradients.

    Parameters
    ----------
    objective
        Model, guide and bound.
    data
        The sequences.
    rows_at_once
        Draws of several sequences are computed together, as many as this.
    seed
        Seed of the draws.
    processes
        Those that share the batches; all return the same scores, and their number does not change
        them.

    Raises
    ------
    ConfigError, DataError
        If a number is below 1, or the data do not fit the model; see :meth:`SequenceVRNN.check`.
    """
    at_least(1, rows_at_once=rows_at_once)
    objective.model.check(data)
    like = next(objective.parameters())
    batch_size = max(1, rows_at_once // objective.bound.particles)
    parts: list[tuple[dict[str, Tensor], Tensor]] = []
    share = processes.share
    batches = padded_batches(data, batch_size=batch_size, share=share)
    for turn, batch in enumerate(batches):
        index = turn * share.count + share.index
        generator = torch.Generator(like.device).manual_seed(
            update_seed(seed, Stream.SCORES, index)
        )
        with as_trained(objective), torch.no_grad(), pyro.validation_enabled(False):
            terms = objective(batch.to(like), generator)
        found = {"bound": terms.bound.double().cpu()}
        if terms.divergence is not None:
            kl = terms.divergence.reshape(-1, *batch.mask.shape).mean(0).sum(0)  # [B]
            found["kl"] = kl.double().cpu()
        parts.append((found, batch.lengths))
    parts = processes.in_turn(parts)
    values = {name: torch.cat([found[name] for found, _ in parts]) for name in parts[0][0]}
    return SequenceScores(values, torch.cat([steps for _, steps in parts]))


def score_sequences(
    objective: SequenceObjective,
    data: SequenceSet,
    *,
    particles: int | Sequence[int] = 4,
    rows_at_once: int = 256,
    seed: int = 0,
    processes: Processes = ALONE,
) -> SequenceScores:
    """Score sequences by every bound: "elbo", and for each S "iwae_S" and "fivo_S"; and by "kl".

    There is no "fivo_1", as a single particle is never resampled. A model without latents has log
    p(x) itself, "exact", and nothing else.

    Parameters
    ----------
    objective
        Model and guide; which bound they were trained with does not matter.
    data, rows_at_once, seed, processes
        See :func:`score_objective`.
    particles
        S, or several.

    Raises
    ------
    ConfigError, DataError
        If a number of particles is below 1; else see :func:`score_objective`.
    """

    def scored(bound: BoundConfig) -> SequenceScores:
        other = SequenceObjective(objective.model, guide, bound=bound)
        return score_objective(
            other, data, rows_at_once=rows_at_once, seed=seed, processes=processes
        )

    counts = particle_counts(particles)
    guide: Any = objective.guide
    first = scored(BoundConfig(divergence="analytic"))
    if not objective.guide.stochastic:
        return SequenceScores({"exact": first.values["bound"]}, first.steps)
    values = {"elbo": first.values["bound"], "kl": first.values["kl"]}
    for count in counts:
        values[f"iwae_{count}"] = scored(BoundConfig("iwae", count)).values["bound"]
        if count > 1:
            values[f"fivo_{count}"] = scored(BoundConfig("fivo", count)).values["bound"]
    return SequenceScores(values, first.steps)
