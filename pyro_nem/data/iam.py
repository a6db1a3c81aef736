"""IAM-OnDB, lines of handwriting on a whiteboard, from a folder that a user has."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data.folders import require_folder
from pyro_nem.data.handwriting import Handwriting, MoveScale, to_handwriting, to_moves
from pyro_nem.errors import DataError

__all__ = ["iam"]

# The lists of forms in the database's own benchmark, for each split.
_LISTS: Final = ("trainset.txt", "testset_v.txt", "testset_f.txt")

# Places are whole numbers.
_CELL: Final = 1.0


def iam(folder: Path, scale: MoveScale = "pooled") -> Handwriting:
    """Return the lines of IAM-OnDB.

    Splits are those of the database's benchmark: the forms of `trainset.txt`, `testset_v.txt` and
    `testset_f.txt`. The released code of Chung et al. (2015) trains on all forms that do not
    validate.

    Places are whole numbers. Each is moved to anywhere in its grid cell by uniform noise, which is
    the same each time: on a grid a density has no limit, see :func:`resampled`. Nothing else is
    changed.

    Parameters
    ----------
    folder
        Holds, at any depth, these lists and the lines, XML files such as `a01-000u-01.xml` for the
        first line of the form `a01-000u`.
    scale
        See :func:`to_handwriting`.

    Raises
    ------
    DataError
        There is no such folder, a list is missing, a split has no line, or a file is damaged.
    """
    require_folder(folder, "IAM-OnDB")
    splits: list[list[NDArray[Any]]] = []
    lines = sorted(folder.rglob("*.xml"))
    for name in _LISTS:
        found = sorted(folder.rglob(name))
        if not found:
            raise DataError(
                f"{folder}: expected IAM-OnDB with the list {name}, which comes with its "
                f"benchmark, found no such file among {len(lines)} XML files"
            )
        forms = set(found[0].read_text(encoding="utf-8").split())
        splits.append([_moves(path) for path in lines if path.stem.rsplit("-", 1)[0] in forms])
    training, validation, test = splits
    return to_handwriting(f"IAM-OnDB in {folder}", training, validation, test, scale)


def _moves(path: Path) -> NDArray[np.float64]:
    """Return a line as rows (pen, dx, dy), each place moved within its cell."""
    try:
        strokes = [
            np.array([[float(point.attrib[axis]) for axis in "xy"] for point in stroke])
            for stroke in ElementTree.parse(path).iter("Stroke")
        ]
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise DataError(
            f"{path}: expected strokes of points with x and y, but {error!r}"
        ) from error
    if not all(np.isfinite(stroke).all() for stroke in strokes):
        raise DataError(
            f"{path}: expected finite x and y, found others; take the file from the database again"
        )
    noise = np.random.default_rng(zlib.crc32(path.stem.encode()))
    drawn = [
        stroke + noise.uniform(-0.5, 0.5, stroke.shape) * _CELL for stroke in strokes if len(stroke)
    ]
    return to_moves(drawn) if drawn else np.zeros((0, 3))
