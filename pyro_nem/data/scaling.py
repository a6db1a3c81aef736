"""The change of units between what was recorded and what a model sees."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scaling"]


class Scaling(NamedTuple):
    """A step in a model's units is (recorded - mean) / std, number by number.

    A density depends on units: log p of what was recorded is that of the scaled numbers minus
    `log_volume`, for every step.
    """

    mean: NDArray[np.float64]
    """Shape `[D]`."""
    std: NDArray[np.float64]
    """Shape `[D]`, positive."""

    @property
    def log_volume(self) -> float:
        """The sum of ln std over the numbers of a step."""
        return float(np.log(self.std).sum())

    def apply(self, recorded: NDArray[Any]) -> NDArray[np.float64]:
        """Return recorded numbers `[..., D]` in the model's units."""
        return (recorded - self.mean) / self.std

    def undo(self, scaled: NDArray[Any]) -> NDArray[np.float64]:
        """Return numbers `[..., D]` in the model's units as they would have been recorded."""
        return scaled * self.std + self.mean
