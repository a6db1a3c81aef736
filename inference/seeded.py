"""Draws from PyTorch's global streams that leave those of the caller where they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Generator

__all__ = ["drawn_seed", "seeded"]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from streams of one's own, and leave those of the caller, on all devices, as they are.

    Parameters
    ----------
    seed
        Seed of PyTorch's global streams meanwhile.
    """
    # Named, because the default warns where there are many devices.
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def drawn_seed(generator: Generator) -> int:
    """Return a seed that a generator draws, for a stream that repeats nothing of its own."""
    return int(torch.randint(2**62, (), generator=generator, device=generator.device))
