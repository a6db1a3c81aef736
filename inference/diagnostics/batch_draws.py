"""The posterior of one batch of sequences, as arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyro
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from inference.bounds import combine
from inference.diagnostics.assignments import draw_assignments, effective_number
from inference.diagnostics.pair_panel import PairPanel
from inference.diagnostics.schema import Arrays
from inference.e_step import pixel_posterior
from inference.frame_scores import sampled_terms
from inference.modes import as_trained
from inference.objective import NEMObjective
from inference.reference.co_assignment import co_assignment
from inference.reference.common import tile
from inference.seeded import drawn_seed, seeded
from models import SpatialMixture
from models.select_component import select_component
from pyro_nem.data import Clip

__all__ = ["Amount", "batch_draws", "compact"]


class Amount(NamedTuple):
    """How much is drawn and stored of a batch.

    Attributes
    ----------
    restarts
        R, chains from different first responsibilities.
    draws
        S, draws of each chain.
    shown
        How many sequences of the batch are stored at full resolution, the first ones.
    shown_steps
        Steps that are stored at full resolution, counted from 0, in order; the last one is one.
    """

    restarts: int
    draws: int
    shown: int
    shown_steps: tuple[int, ...]


class _States(NamedTuple):
    """States of all restarts, [R, S, B, T, ...]; S is 1 where they are point masses."""

    theta: Tensor
    psi: Tensor
    gamma: Tensor


def batch_draws(
    objective: NEMObjective,
    clip: Clip,
    labels: Tensor | None,
    panel: PairPanel,
    amount: Amount,
    generator: Generator,
) -> Arrays:
    """Run the guide from several first responsibilities and describe what it finds.

    Parameters
    ----------
    objective
        Model and guide.
    clip
        The batch; all restarts read the same noise.
    labels
        True object of each pixel, 0 where not scored, [T, B, D]; None if not known.
    panel
        Pairs of pixels of the last step.
    amount
        How much to draw and store.
    generator
        Source of first responsibilities and draws.

    Returns
    -------
    Arrays
        The variables of :data:`VARIABLES` but for the prior's; an axis of draws may be 1 where
        draws would all be equal.
    """
    model = objective.model
    with as_trained(objective), torch.no_grad(), pyro.validation_enabled(False):
        tiled = tile(clip, amount.restarts)
        rollout = objective.guide.rollout(tiled, generator, amount.draws)
        terms = sampled_terms(objective, tiled, rollout)
        axis = rollout.theta.dim() == 5
        states = _States(
            *(
                _arrange(part if axis else part[None], amount.restarts)
                for part in (rollout.theta, rollout.psi, rollout.gamma)
            )
        )
        likelihood = _arrange(terms.log_likelihood.double(), amount.restarts)  # [R, S, B, T]
        divergence = _arrange(terms.divergence.double(), amount.restarts)
        log_weight = (likelihood - divergence).sum(-1)  # [R, S, B]
        by_draw = log_weight.transpose(0, 1)  # [S, R, B]
        found = {
            "log_likelihood/frame": _array(likelihood, np.float32),
            "sample_stats/log_weight": _array(log_weight, np.float64),
            "sample_stats/elbo": _array(combine("elbo", by_draw), np.float64),
            "sample_stats/iwae": _array(combine("iwae", by_draw), np.float64),
            "constant_data/pair_pixel": _array(panel.pixels, np.int32),
            "constant_data/pair_same": panel.same,
        }
        last = states.gamma[:, :, :, -1]  # [R, S, B, K, D]
        each = amount.draws // last.shape[1]
        z = draw_assignments(last, each, generator)  # [R, draws, B, D]
        found.update(_shares(states.gamma, z, labels))
        found.update(_pairs(last, z, panel))
        if amount.shown:
            found.update(_shown(model, clip, labels, states, z, amount, generator))
    return found


def _shares(gamma: Tensor, z: Tensor, labels: Tensor | None) -> Arrays:
    """Return what tells of a collapse; without labels all pixels count."""
    steps, _, num_pixels = gamma.shape[-3:]
    shape = (gamma.shape[2], steps, num_pixels)  # [B, T, D]
    counted = torch.ones(shape, dtype=torch.bool, device=gamma.device)
    if labels is not None:
        counted = labels.transpose(0, 1) != 0
    total = counted.sum((1, 2))  # [B]
    entropy = torch.special.entr(gamma).sum(-2)  # [R, S, B, T, D]
    share = (gamma.mean(1) * counted.unsqueeze(-2)).sum((2, 4))  # [R, B, K]
    number = effective_number(z, counted[:, -1], gamma.shape[-2])  # [R, draws, B]
    return {
        "sample_stats/entropy": _array((entropy * counted).sum((-2, -1)) / total, np.float32),
        "sample_stats/component_share": _array(share / total.unsqueeze(-1), np.float32),
        "sample_stats/effective_components": _array(number, np.float32),
    }


def _pairs(gamma: Tensor, z: Tensor, panel: PairPanel) -> Arrays:
    """Return how probable it is that the pixels of a pair belong together, and whether they do."""
    probability, together = [], []
    for b, pairs in enumerate(panel.pixels):
        probability.append(co_assignment(gamma[:, :, b], pairs).mean(1))  # [R, P]
        together.append(z[:, :, b, pairs[:, 0]] == z[:, :, b, pairs[:, 1]])  # [R, draws, P]
    return {
        "sample_stats/pair_probability": _array(torch.stack(probability, 1), np.float32),
        "posterior/co_assignment": _array(torch.stack(together, 2), np.int8),
    }


def _shown(
    model: SpatialMixture,
    clip: Clip,
    labels: Tensor | None,
    states: _States,
    z: Tensor,
    amount: Amount,
    generator: Generator,
) -> Arrays:
    """Return the variables at full resolution, of the first sequences of the batch."""
    chosen = torch.tensor(amount.shown_steps, device=z.device)
    theta, psi, gamma = (part[:, :, : amount.shown].index_select(3, chosen) for part in states)
    each = amount.draws // gamma.shape[1]
    before = draw_assignments(gamma[:, :, :, :-1], each, generator)  # [R, draws, B, T - 1, D]
    z = torch.cat([before, z[:, :, : amount.shown, None]], 3)  # [R, draws, B, T, D]
    targets = clip.targets[chosen, : amount.shown].transpose(0, 1)  # [B, T, D, C]
    found = {
        "posterior/theta": _array(theta, np.float32),
        "posterior/assignment": _array(z, np.int16),
        "posterior_predictive/x": compact(_replicate(model, psi, z, generator)),
        "log_likelihood/pixel": _array(_pixel_likelihood(model, psi, targets), np.float32),
        "sample_stats/gamma": _array(gamma.mean(1), np.float32),
        "observed_data/x": compact(targets),
    }
    if labels is not None:
        groups = labels[chosen, : amount.shown].transpose(0, 1)  # [B, T, D]
        found["constant_data/group"] = _array(groups, np.uint8)
    return found


def _replicate(model: SpatialMixture, psi: Tensor, z: Tensor, generator: Generator) -> Tensor:
    """Draw frames of the pixel law at the drawn assignments, [R, draws, B, T, D, C]."""
    with seeded(drawn_seed(generator)):
        return torch.stack(
            [
                model.pixels.distribution(select_component(p, a.long())).sample()
                for p, a in zip(psi, z, strict=True)
            ]
        )


def _pixel_likelihood(model: SpatialMixture, psi: Tensor, targets: Tensor) -> Tensor:
    """Return log p(x_i | psi), z summed out, [R, S, B, T, D]."""
    frames = psi.flatten(2, 3).flatten(0, 1)  # [R S, B T, K, D, C]
    x = targets.flatten(0, 1).expand(len(frames), -1, -1, -1)  # [R S, B T, D, C]
    evidence = pixel_posterior(model, frames, x).log_evidence  # [R S, B T, D]
    return evidence.view(*psi.shape[:4], psi.shape[-2])


def _arrange(values: Tensor, restarts: int) -> Tensor:
    """Return [S, T, R B, ...] as [R, S, B, T, ...]."""
    apart: Tensor = values.unflatten(2, (restarts, -1))  # [S, T, R, B, ...]
    return apart.permute(2, 0, 3, 1, *range(4, apart.dim()))


def _array(values: Tensor, kind: type[np.generic]) -> NDArray[Any]:
    return values.cpu().numpy().astype(kind, copy=False)


def compact(frames: Tensor) -> NDArray[Any]:
    """Return frames as bytes if they are black and white.

    Signed ones, like all small numbers here: ArviZ takes differences, which in unsigned bytes wrap
    around and of Booleans do not exist.
    """
    binary = bool(((frames == 0) | (frames == 1)).all())
    return _array(frames, np.int8 if binary else np.float32)
