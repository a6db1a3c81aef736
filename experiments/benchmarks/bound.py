"""The cost of the bound alone: ours, Pyro's, and the sum written by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pyro
import torch
from pyro.infer import TraceEnum_ELBO
from torch import Tensor, nn

from experiments.benchmarks.timing import medians_in_turns
from inference import EnumeratedBound
from inference.guides import register_states
from models import Rollout, SpatialMixture
from pyro_nem.data import Clip
from pyro_nem.networks import DenseDecoder

__all__ = ["SIZES", "BoundRow", "measure_bound"]

SIZES = (
    (4, 1, 3, 100),
    (1, 20, 3, 784),
    (16, 10, 5, 784),
    (16, 20, 5, 784),
    (16, 20, 8, 784),
    (64, 20, 3, 784),
    (16, 20, 5, 4096),
)
"""B, T, K, D of the rows."""

_CLIP = 1e-6


@dataclass(frozen=True)
class BoundRow:
    """One measurement, forward and backward; times in seconds, ``ratio`` = seconds / reference.

    The reference is Pyro's TraceEnum_ELBO; ``closed_seconds`` is the same sum in plain PyTorch.
    """

    benchmark: str
    batch_size: int
    steps: int
    components: int
    pixels: int
    seconds: float
    reference_seconds: float
    closed_seconds: float
    ratio: float


class _GivenStates(nn.Module):
    """Parameterises q(theta) = Delta at the states that it is handed."""

    def forward(self, clip: Clip, rollout: Rollout) -> None:
        register_states(rollout)


def measure_bound(size: tuple[int, int, int, int], repeats: int, device: str) -> BoundRow:
    """Time value and gradient with respect to psi for states that are given, nothing decoded.

    Parameters
    ----------
    size
        B, T, K, D.
    repeats
        Timed evaluations of each kind.
    device
        Where to run.
    """
    batch, steps, components, pixels = size
    generator = torch.Generator().manual_seed(0)
    frames = (torch.rand(steps, batch, pixels, 1, generator=generator) < 0.1).float().to(device)
    psi = torch.rand(steps, batch, components, pixels, 1, generator=generator).to(device)
    psi.requires_grad_(True)
    theta = torch.full((steps, batch, components, 1), 0.5, device=device)
    gamma = psi.detach().squeeze(-1)  # [T, B, K, D], which the bound does not read
    clip, rollout = Clip(frames, frames), Rollout(theta, psi, gamma, gamma[0])
    model = SpatialMixture(DenseDecoder((1, pixels, 1), 1), components).to(device)
    guide = _GivenStates()
    nesting = model.max_plate_nesting
    ours = EnumeratedBound(max_plate_nesting=nesting)(model, guide)
    theirs = TraceEnum_ELBO(max_plate_nesting=nesting)(model, guide)

    def stepper(loss: Callable[[], Tensor]) -> Callable[[], None]:
        def step() -> None:
            psi.grad = None
            loss().backward()

        return step

    kinds = (
        lambda: ours(clip, rollout),
        lambda: theirs(clip, rollout),
        lambda: _closed_form(psi, frames),
    )
    # Pyro's checks run in the first update of a training only.
    with pyro.validation_enabled(False):
        seconds, reference, closed = medians_in_turns([stepper(k) for k in kinds], repeats, device)
    return BoundRow(
        "bound",
        batch,
        steps,
        components,
        pixels,
        seconds,
        reference,
        closed,
        ratio=seconds / reference,
    )


def _closed_form(psi: Tensor, targets: Tensor) -> Tensor:
    """Return the negative log-likelihood of a uniform mixture of Bernoulli pixels."""
    p = psi.squeeze(-1).clamp(_CLIP, 1.0 - _CLIP)  # [T, B, K, D]
    x = targets.squeeze(-1).unsqueeze(2)  # [T, B, 1, D]
    log_p = torch.where(x > 0.5, p, 1.0 - p).log()
    return -(log_p.logsumexp(2) - math.log(psi.shape[2])).sum()
