"""What the ways of free-form inference share."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import pyro
import torch
from torch import Tensor

from inference.e_step import responsibilities
from inference.seeded import seeded
from models import SpatialMixture
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError

__all__ = [
    "blocks",
    "isolated",
    "mean_and_error",
    "pick",
    "require_own_prior",
    "state_responsibilities",
    "tile",
]

# Numbers of pixel parameters that are held at a time, 64 MiB in float32.
_AT_A_TIME = 2**24


@contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Train with gradients, and in a parameter store that the caller does not see; see ``seeded``.

    Pyro's automatic guides keep their parameters in its store. The one here starts empty, which
    programs that live in nn.Modules, as all of ours, do not notice.
    """
    with seeded(seed), torch.enable_grad(), pyro.get_param_store().scope():
        yield


def require_own_prior(model: SpatialMixture, clip: Clip) -> None:
    """Check that the prior of the states does not wait for a guide.

    Raises
    ------
    ConfigError
        If there are several steps and the prior depends on what the guide's recurrence carries.
    """
    steps = clip.targets.shape[0]
    if model.prior.context_size > 0 and steps > 1:
        raise ConfigError(
            f"clip: {type(model.prior).__name__} takes what the recurrence of a guide carries from "
            "step to step, so without a guide the model has a prior for images only; expected one "
            f"step (T = 1), got {steps}; pass Clip.at(slice(0, 1)), or use a model with "
            "models.UniformPrior"
        )


def tile(clip: Clip, copies: int) -> Clip:
    """Return a clip of ``copies`` x B sequences, all sequences of a copy side by side."""
    if copies == 1:
        return clip
    observed = None if clip.observed is None else clip.observed.repeat(1, copies, 1)
    return Clip(clip.inputs.repeat(1, copies, 1, 1), clip.targets.repeat(1, copies, 1, 1), observed)


def blocks(total: int, model: SpatialMixture, clip: Clip) -> list[int]:
    """Return ``total`` evaluations of a clip as parts that fit into memory, each at least 1."""
    numbers = clip.targets.numel() * model.num_components  # T B K D C
    size = max(1, min(total, _AT_A_TIME // max(1, numbers)))
    return [min(size, total - start) for start in range(0, total, size)]


def mean_and_error(draws: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard error of independent draws [S, B], [B] each.

    The error of a single draw is unknown: NaN.
    """
    if len(draws) == 1:
        return draws[0], torch.full_like(draws[0], torch.nan)
    return draws.mean(0), draws.std(0) / math.sqrt(len(draws))


def pick(values: Tensor, best: Tensor) -> Tensor:
    """Return the alternatives ``best`` [T, B] of ``values`` [R, T, B, ...], [T, B, ...]."""
    steps, batch = (torch.arange(size, device=best.device) for size in best.shape)
    return values[best, steps[:, None], batch]


@torch.no_grad()
def state_responsibilities(model: SpatialMixture, clip: Clip, theta: Tensor) -> Tensor:
    """Return gamma = p(z | theta, x) of many states of the same clip.

    Parameters
    ----------
    model
        The spatial mixture; a prior with a context has a context of 0.
    clip
        The clip, of which the targets are explained.
    theta
        States, [..., T, B, K, H].

    Returns
    -------
    Tensor
        Responsibilities, [..., T, B, K, D].
    """
    draws = theta.reshape(-1, *theta.shape[-4:])  # [N, T, B, K, H]
    found = []
    for part in draws.split(blocks(len(draws), model, clip)):
        states = part.flatten(0, 1)  # [N T, B, K, H]
        size = model.prior.context_size
        context = states.new_zeros(*states.shape[:-1], size) if size else None
        psi = model.decode(states, context)  # [N T, B, K, D, C]
        copies = len(part)
        targets = clip.targets.repeat(copies, 1, 1, 1)  # [N T, B, D, C]
        observed = None if clip.observed is None else clip.observed.repeat(copies, 1, 1)
        found.append(responsibilities(model, psi, targets, observed))  # [N T, B, K, D]
    gamma = torch.cat(found)  # [N T, B, K, D]
    return gamma.view(*theta.shape[:-1], gamma.shape[-1])  # [..., T, B, K, D]
