"""Numbers in a file, mapped into memory only while they are used."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyro_nem.errors import DataError

__all__ = ["Rows", "StoredRows", "loaded", "rows_of"]


@dataclass(frozen=True, slots=True)
class StoredRows:
    """An array in a file, of which nothing is kept but where it is.

    A mapped file counts as an open one, of which a process may have about a thousand. It is also
    small where it is sent to another process.
    """

    path: Path
    """The file."""
    dtype: np.dtype[Any]
    """Of the numbers, byte order included."""
    offset: int
    """Bytes before the first one."""
    shape: tuple[int, ...]
    """At least one axis."""

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def load(self) -> NDArray[Any]:
        """Return the array, mapped read-only.

        Raises
        ------
        DataError
            The file is no longer there, or shorter than it was.
        """
        if 0 in self.shape:
            # Nothing cannot be mapped.
            return np.zeros(self.shape, self.dtype)
        try:
            return np.memmap(self.path, self.dtype, "r", self.offset, self.shape)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.path}: can no longer be read ({error}); leave data where they are while "
                "they are in use"
            ) from error


Rows = NDArray[Any] | StoredRows
"""An array in memory or in a file."""


def loaded(rows: Rows) -> NDArray[Any]:
    """Return an array wherever it is; that of a file is mapped."""
    return rows.load() if isinstance(rows, StoredRows) else rows


def rows_of(rows: Rows, start: int, stop: int) -> Rows:
    """Return the rows from `start` to `stop` (exclusive) or to the end, read no sooner."""
    if not isinstance(rows, StoredRows):
        return rows[start:stop]
    stop = min(stop, len(rows))
    size = rows.dtype.itemsize * math.prod(rows.shape[1:])
    return replace(rows, offset=rows.offset + start * size, shape=(stop - start, *rows.shape[1:]))
