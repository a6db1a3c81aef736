"""A training step alone, without data, noise and log, to be measured."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pyro
import torch
from torch import Generator, Tensor, nn

from experiments.frames.assembly import build_objective
from experiments.frames.config import FrameExperiment
from pyro_nem.data import Clip

__all__ = ["ClipTask", "random_clip", "training_step", "update_of"]


def training_step(
    settings: FrameExperiment, batch_size: int, side: int, device: str
) -> Callable[[], None]:
    """Return a function that makes an update from the same random frames each time it is called.

    Parameters
    ----------
    settings
        Networks, guide and bound, T and K.
    batch_size
        B.
    side
        Rows and columns of the frames.
    device
        Where to run.
    """
    objective = build_objective(replace(settings, device=device), (side, side, 1))
    clip = random_clip(batch_size, settings.steps, side, device)
    return update_of(objective, lambda: objective(clip).loss)


def random_clip(batch_size: int, steps: int, side: int, device: str) -> Clip:
    """Return random binary frames [T, B, D, 1], a tenth of the pixels on."""
    generator = torch.Generator().manual_seed(0)
    shape = (steps + 1, batch_size, side * side, 1)
    frames = (torch.rand(shape, generator=generator) < 0.1).float().to(device)
    return Clip(frames[:-1], frames[1:])


def update_of(module: nn.Module, loss: Callable[[], Tensor]) -> Callable[[], None]:
    """Return a function that does forward, backward and Adam.

    Gradients are dropped at the end, so they are part of what a step allocates, not of what is
    there before.
    """
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)

    def step() -> None:
        # Pyro's checks run in the first update of a training only.
        with pyro.validation_enabled(False):
            loss().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


@dataclass(frozen=True)
class ClipTask:
    """A training on the same clip again and again."""

    clip: Clip
    settled: int = 0

    def batches(self, start: int) -> Iterator[Clip]:
        """Yield the clip without end."""
        return itertools.repeat(self.clip)

    def loss(
        self, module: nn.Module, batch: Clip, generator: Generator, update: int
    ) -> tuple[Tensor, Callable[[], dict[str, float]]]:
        """Return the loss of the clip, and nothing to measure."""
        return module(batch, generator, update).loss, dict

    def validate(self, module: nn.Module) -> dict[str, float]:
        """Return no metrics: there are no other data."""
        return {}
