"""An exponential average of weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

__all__ = ["WeightAverage"]


class WeightAverage:
    """A copy of a module whose weights are an exponential average of the module's.

    PyTorch's ``AveragedModel`` does the same and waits for the device at each update, to read how
    many it has seen. Its states can be loaded.

    Parameters
    ----------
    module
        What is averaged.
    decay
        The share of the average that stays at each update.

    Attributes
    ----------
    module
        The copy; before the first update, its weights are those that the module began with.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(module).requires_grad_(False)
        self._average = get_ema_multi_avg_fn(decay)
        self._count = 0

    def update(self, module: nn.Module) -> None:
        """Take in the weights of the module; the first ones, and all buffers, as they are."""
        averaged: list[Tensor] = list(self.module.parameters())
        weights: list[Tensor] = list(module.parameters())
        with torch.no_grad():
            if self._count == 0:
                torch._foreach_copy_(averaged, weights)
            else:
                self._average(averaged, weights, self._count)
            for buffer, current in zip(self.module.buffers(), module.buffers(), strict=True):
                buffer.copy_(current)
        self._count += 1

    def state(self) -> dict[str, Any]:
        """Return everything that changes, for :meth:`load`."""
        weights = {f"module.{name}": part for name, part in self.module.state_dict().items()}
        return {"n_averaged": torch.tensor(self._count), **weights}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._count = int(state["n_averaged"])
        weights = {
            name.removeprefix("module."): part for name, part in state.items() if "." in name
        }
        self.module.load_state_dict(weights)
