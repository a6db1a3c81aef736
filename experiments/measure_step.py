"""The cost of a training step: ours, and the same written by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pyro
import torch
from torch import Tensor, nn

from experiments.assembly import build_objective
from experiments.config import NetworkName
from experiments.defaults import defaults
from experiments.eager import eager_twin
from experiments.timing import medians_in_turns
from pyro_nem.data import Clip

__all__ = ["StepRow", "measure_step"]

_IMAGE_SHAPE = (28, 28, 1)


@dataclass(frozen=True)
class StepRow:
    """One measurement; times in seconds, ``ratio`` = seconds / reference_seconds."""

    benchmark: str
    network: str
    batch_size: int
    components: int
    steps: int
    pixels: int
    seconds: float
    reference_seconds: float
    ratio: float


def measure_step(
    network: NetworkName,
    size: tuple[int, int, int],
    repeats: int,
    device: str,
) -> StepRow:
    """Time a training step of the Pyro program and of its hand-written twin, in turns.

    Parameters
    ----------
    network
        Whose layers.
    size
        B, T, K.
    repeats
        Timed steps of each.
    device
        Where to run.
    """
    batch, steps, components = size
    settings = defaults("flying_shapes", "paper", "rnn-em", network)
    settings = replace(
        settings,
        components=components,
        steps=steps,
        device=device,
        # The twin knows the paper's input only.
        views=("masked-residual",),
        gradient_psi=True,
    )
    ours = build_objective(settings, _IMAGE_SHAPE)
    twin = eager_twin(build_objective(settings, _IMAGE_SHAPE))
    generator = torch.Generator().manual_seed(0)
    shape = (steps + 1, batch, _IMAGE_SHAPE[0] * _IMAGE_SHAPE[1], 1)
    frames = (torch.rand(shape, generator=generator) < 0.1).float().to(device)
    clip = Clip(frames[:-1], frames[1:])
    # Pyro's checks run in the first update of a training only.
    with pyro.validation_enabled(False):
        seconds, reference = medians_in_turns(
            [_stepper(module, clip) for module in (ours, twin)], repeats, device
        )
    return StepRow(
        benchmark="step",
        network=network,
        batch_size=batch,
        components=components,
        steps=steps,
        pixels=shape[2],
        seconds=seconds,
        reference_seconds=reference,
        ratio=seconds / reference,
    )


def _stepper(module: nn.Module, clip: Clip) -> Callable[[], None]:
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss: Tensor = module(clip).loss
        loss.backward()
        optimizer.step()

    return step
