"""Bounds on the log-likelihood of images, of any checkpoint, whatever it was trained with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyro
import torch
from torch import Tensor

from inference.bound_config import BoundConfig
from inference.images.levels import check_bits
from inference.images.objective import ImageObjective
from inference.modes import as_trained
from inference.particle_counts import particle_counts
from inference.processes import ALONE, Processes
from inference.streams import Stream, update_seed
from pyro_nem.checks import at_least
from pyro_nem.data import ImageSet
from pyro_nem.metrics import standard_errors

__all__ = ["ImageScores", "score_images", "score_objective"]

# Draws of latents that are computed together; the images that they decode to fill 6 MB.
_ROWS = 2000


class ImageScores(NamedTuple):
    """Scores of a set of images.

    Attributes
    ----------
    values
        Of every image, in nats: bounds on log p(x) by name, and "kl"; name -> [N].
    """

    values: dict[str, Tensor]

    @property
    def nats(self) -> dict[str, float]:
        """Means over the images, nats an image."""
        return {name: values.mean().item() for name, values in self.values.items()}

    @property
    def errors(self) -> dict[str, float]:
        """Standard errors of these means over the images; NaN for a single one."""
        return {
            name: standard_errors(values.numpy()).item() for name, values in self.values.items()
        }


def score_objective(
    objective: ImageObjective,
    data: ImageSet,
    *,
    rows_at_once: int = _ROWS,
    seed: int = 0,
    processes: Processes = ALONE,
) -> ImageScores:
    """Score images by an objective's own bound, "bound", and by its KL, without gradients.

    Parameters
    ----------
    objective
        Model, guide and bound.
    data
        Images of 0 and 255.
    rows_at_once
        Draws of several images are computed together, as many as this; those of one image in parts
        if there are more of them.
    seed
        Seed of the draws.
    processes
        Those that share the images; all return the same scores, and their number does not change
        them.

    Raises
    ------
    ConfigError
        If a number is below 1, or the images are grey or of another size than the model's.
    """
    at_least(1, rows_at_once=rows_at_once)
    check_bits(objective.model, data)
    particles = objective.bound.particles
    size = max(1, rows_at_once // particles)
    like = next(objective.parameters())
    parts: list[dict[str, Tensor]] = []
    share = processes.share
    for index in range(share.index, -(-len(data) // size), share.count):
        x = data.probabilities(slice(index * size, (index + 1) * size)).to(like)
        generator = torch.Generator(like.device).manual_seed(
            update_seed(seed, Stream.SCORES, index)
        )
        log_weights, divergences = [], []
        for first in range(0, particles, rows_at_once):
            with as_trained(objective), torch.no_grad(), pyro.validation_enabled(False):
                drawn = min(rows_at_once, particles - first)
                terms = objective(x, generator, drawn)
            log_weights.append(terms.log_weights)  # [S, B]
            divergences.append(terms.divergence)
        bound = objective.combine(torch.cat(log_weights).double())
        divergence = torch.cat(divergences).double().mean(0)
        parts.append({"bound": bound.cpu(), "kl": divergence.cpu()})
    parts = processes.in_turn(parts)
    return ImageScores({name: torch.cat([part[name] for part in parts]) for name in parts[0]})


def score_images(
    objective: ImageObjective,
    data: ImageSet,
    *,
    particles: int | Sequence[int] = 50,
    rows_at_once: int = _ROWS,
    seed: int = 0,
    processes: Processes = ALONE,
) -> ImageScores:
    """Score images by "elbo", by "iwae_S" for each S, and by "kl".

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
    ConfigError
        If a number is below 1, or the images are grey or of another size than the model's.
    """
    counts = particle_counts(particles)

    def scored(bound: BoundConfig | None = None) -> dict[str, Tensor]:
        other = ImageObjective(objective.model, objective.guide, bound=bound)
        return score_objective(
            other, data, rows_at_once=rows_at_once, seed=seed, processes=processes
        ).values

    first = scored()
    values = {"elbo": first["bound"], "kl": first["kl"]}
    for count in counts:
        values[f"iwae_{count}"] = scored(BoundConfig("iwae", count))["bound"]
    return ImageScores(values)
