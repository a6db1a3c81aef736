"""Omniglot as recorded movements of a pen: 4,840 drawings of 242 characters."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data.handwriting import Handwriting, MoveScale, to_handwriting, to_moves
from pyro_nem.data.published import PublishedFile, published_content
from pyro_nem.errors import DataError

__all__ = ["omniglot", "resampled"]

_COMMIT: Final = "057f034baf2ecb8530bc5710e5a23584d2a519cc"
_ADDRESS: Final = f"https://raw.githubusercontent.com/brendenlake/omniglot/{_COMMIT}/python"

_FOLDER: Final = "omniglot_strokes"

FILES: Final = [
    PublishedFile(
        "the strokes of Omniglot's first small background set",
        _FOLDER,
        (f"{_ADDRESS}/strokes_background_small1.zip",),
        "8cb3960fb6cf4ccf5f064ad83169f828c36c36782a0f6e7faacb7ecfae4468a2",
    ),
    PublishedFile(
        "the strokes of Omniglot's second small background set",
        _FOLDER,
        (f"{_ADDRESS}/strokes_background_small2.zip",),
        "345bf2141efbea062833dbb2828abbc23d9e07825e46f2afdd4daecddfed6e78",
    ),
]
"""The files. They share characters."""

_NAME: Final = re.compile(r"strokes_background_small\d/([^/]+)/(character\d+)/\d+_(\d+)\.txt")

# Of the 20 who drew each alphabet.
_TRAINING: Final = 14
_VALIDATION: Final = 17

# Milliseconds from one step to the next.
_INTERVAL: Final = 60.0

# Where the recorder said nothing for longer, the pen paused.
_LONGEST_GAP: Final = 80.0

# Places are multiples of 0.70 or 0.79, in units of which a drawing is 105 wide.
_CELL: Final = 0.7


class _Drawing(NamedTuple):
    """Which drawing it is; in this order neighbours are of different characters."""

    drawer: int
    character: str
    alphabet: str


def omniglot(scale: MoveScale = "pooled", report: Callable[[str], None] = print) -> Handwriting:
    """Return the drawings of both small background sets, resampled; see :func:`resampled`.

    20 people drew each alphabet. Drawers 1 to 14 train, 15 to 17 validate and 18 to 20 test, so no
    one draws an alphabet in two splits; whether people drew several alphabets is not published.

    Parameters
    ----------
    scale
        See :func:`to_handwriting`.
    report
        Called with a line of text before a download.

    Raises
    ------
    DataError
        A file is damaged or another one, or cannot be downloaded.
    StorageError
        The cache cannot be written.
    """
    drawings: dict[_Drawing, NDArray[np.float64]] = {}
    for file in FILES:
        with zipfile.ZipFile(io.BytesIO(published_content(file, report))) as archive:
            for name in archive.namelist():
                match = _NAME.fullmatch(name)
                if match is None:
                    continue
                drawing = _Drawing(int(match[3]), match[2], match[1])
                if drawing not in drawings:
                    text = archive.read(name).decode("ascii")
                    noise = np.random.default_rng(zlib.crc32("/".join(map(str, drawing)).encode()))
                    strokes = [resampled(stroke, noise) for stroke in _strokes(name, text)]
                    drawings[drawing] = to_moves(strokes)

    def those(first: int, last: int) -> list[NDArray[Any]]:
        return [drawings[key] for key in sorted(drawings) if first < key.drawer <= last]

    return to_handwriting(
        "Omniglot",
        those(0, _TRAINING),
        those(_TRAINING, _VALIDATION),
        those(_VALIDATION, 20),
        scale,
    )


def resampled(stroke: NDArray[np.float64], noise: np.random.Generator) -> NDArray[np.float64]:
    """Return the places of the pen every 60 ms of a stroke, `[points, 3] -> [points, 2]`.

    Times come irregularly and places from a grid. On a grid, and wherever a line is followed for
    several steps, a density has no limit; so each place is moved to anywhere in its grid cell, by
    uniform noise. Gaps of more than 80 ms are pauses and count 80 ms.

    Parameters
    ----------
    stroke
        Rows of x, y and milliseconds.
    noise
        Source of the noise.
    """
    gaps = np.diff(stroke[:, 2]).clip(0.0, _LONGEST_GAP)
    times = np.concatenate([[0.0], np.cumsum(gaps)])
    # Both ends of a stroke are points of it.
    count = max(round(times[-1] / _INTERVAL), 1) + 1 if len(stroke) > 1 else 1
    asked = np.linspace(0.0, times[-1], count)
    places = np.column_stack([np.interp(asked, times, stroke[:, axis]) for axis in (0, 1)])
    return places + noise.uniform(-0.5, 0.5, places.shape) * _CELL


def _strokes(name: str, text: str) -> list[NDArray[np.float64]]:
    """Return the strokes of a file, each rows of x, y and milliseconds; y downwards."""
    strokes: list[NDArray[np.float64]] = []
    rows: list[list[float]] = []
    try:
        for line in text.split():
            if line == "BREAK":
                strokes.append(np.array(rows).reshape(-1, 3) * (1.0, -1.0, 1.0))
                rows = []
            elif line != "START":
                rows.append([float(number) for number in line.split(",")])
    except ValueError as error:
        raise DataError(f"{name}: expected lines of x, y and time, but {error}") from error
    return strokes
