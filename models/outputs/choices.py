"""Checks of data that laws of choices describe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyro_nem.data import SequenceSet
from pyro_nem.errors import DataError

__all__ = ["check_choices"]


def check_choices(data: SequenceSet, sizes: Sequence[int]) -> None:
    """Check that the first M numbers of every step are choices, each among ``sizes[m]`` values.

    Raises
    ------
    DataError
        If one is not a whole number in [0, ``sizes[m]``).
    """
    most = np.asarray(sizes) - 1  # [M]
    for index, steps in enumerate(data.scaled()):
        chosen = steps[:, : len(most)]  # [T, M]
        wrong = (chosen < 0) | (chosen > most) | (chosen != np.trunc(chosen))
        if wrong.any():
            step, place = np.argwhere(wrong)[0]
            raise DataError(
                f"{data.name}, sequence {index}, step {step}, number {place}: expected a whole "
                f"number from 0 to {most[place]}, found {chosen[step, place]:g}; repair the data, "
                "or choose another output law"
            )
