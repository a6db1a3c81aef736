"""The mode in which modules are scored and drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

__all__ = ["as_trained"]


@contextmanager
def as_trained(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode, and all its parts back into their own modes at the end."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True
