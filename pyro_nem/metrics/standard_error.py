"""How far a mean over sequences may be from that over all sequences of its kind."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["standard_errors"]


def standard_errors(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the standard error of the mean over the last axis, NaN left out.

    It tells of the choice of the sequences alone, which have to be independent: not of the seed of
    the training, nor of that of the noise.

    Parameters
    ----------
    values
        A value for each sequence, NaN where it has none; shape `[..., N]`.

    Returns
    -------
    NDArray
        float64, shape `[...]`; NaN where fewer than two sequences have a value.
    """
    known = ~np.isnan(values)
    count = known.sum(-1, dtype=np.float64)
    several = np.where(count > 1, count, np.nan)
    mean = np.where(known, values, 0.0).sum(-1) / several
    squares = np.where(known, values - mean[..., None], 0.0) ** 2
    error: NDArray[np.float64] = np.sqrt(squares.sum(-1) / (several - 1.0) / several)
    return error
