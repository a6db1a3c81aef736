"""Checks of the arrays that sequences come in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyro_nem.data.scaling import Scaling
from pyro_nem.data.stored_rows import Rows, StoredRows
from pyro_nem.errors import DataError

__all__ = ["check_sequences"]


def check_sequences(
    name: str,
    sequences: Sequence[Rows],
    scaling: Scaling | None = None,
    before: Sequence[Rows | None] | None = None,
) -> None:
    """Check that sequences fit each other, and what is told of them fits them.

    Parameters
    ----------
    name
        What messages call them.
    sequences, scaling, before
        See :class:`pyro_nem.data.SequenceSet`.

    Raises
    ------
    DataError
        If there is no sequence, one is no array of real numbers `[T_n, D]` or empty, or scaling or
        steps before are not for these.
    """
    if not len(sequences):
        raise DataError(f"{name}: expected at least one sequence, found none")
    size = None
    for index, sequence in enumerate(sequences):
        size = _check_rows(f"{name}, sequence {index}", sequence, size)
    if before is not None:
        if len(before) != len(sequences):
            raise DataError(
                f"{name}, before: expected a step or None for each of the {len(sequences)} "
                f"sequences, found {len(before)}"
            )
        for index, row in enumerate(before):
            if row is not None:
                _check_rows(f"{name}, before sequence {index}", row, size, steps=1)
    if scaling is not None:
        for field, numbers in scaling._asdict().items():
            if np.shape(numbers) != (size,):
                raise DataError(
                    f"{name}, scaling: expected a {field} for each of the {size} numbers of a "
                    f"step, found the shape {np.shape(numbers)}"
                )
        if not (np.isfinite(scaling.mean).all() and np.isfinite(scaling.std).all()):
            raise DataError(f"{name}, scaling: expected finite numbers, found others")
        if not (smallest := np.min(scaling.std)) > 0:
            raise DataError(
                f"{name}, scaling: expected every std to be above 0, found {smallest}; leave out "
                "numbers that never change, or give them a std of 1"
            )


def _check_rows(place: str, rows: object, size: int | None, steps: int | None = None) -> int:
    """Return D of an array, which has to be as given where it is."""
    if not isinstance(rows, np.ndarray | StoredRows):
        raise DataError(
            f"{place}: expected a NumPy array, found {type(rows).__name__}; convert it with "
            "numpy.asarray"
        )
    if rows.dtype.kind not in "biuf":
        raise DataError(f"{place}: expected real numbers, found the dtype {rows.dtype}")
    fits = rows.ndim == 2 and 0 not in rows.shape
    if not fits or size not in (None, rows.shape[1]) or steps not in (None, len(rows)):
        expected = f"[{'steps' if steps is None else steps}, {'D' if size is None else size}]"
        raise DataError(
            f"{place}: expected {expected} with at least one step and number, found {rows.shape}"
        )
    return int(rows.shape[1])
