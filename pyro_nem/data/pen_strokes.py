"""Digits of MNIST as movements of a pen, by Edwin de Jong.

The movements are inferred from the bitmaps; nobody recorded a pen.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data.published import PublishedFile, published_content
from pyro_nem.data.sequences import SequenceSet
from pyro_nem.errors import DataError

__all__ = ["PenStrokes", "TupleCode", "pen_strokes"]

_COMMIT: Final = "7724f8eff8502027f7c4d1a9e9bbbf69e5f3cd3a"
_ADDRESS: Final = (
    f"https://raw.githubusercontent.com/edwin-de-jong/mnist-digits-stroke-sequence-data/{_COMMIT}"
    "/numpy-encoded"
)

FILES: Final[dict[Literal["train", "test"], PublishedFile]] = {
    "train": PublishedFile(
        "the pen strokes of MNIST's training digits",
        "mnist_strokes",
        (f"{_ADDRESS}/train-padded-leading.tar.gz",),
        "7ad3a368e3608d9adf3e7bd6105ff609f760c5d8a60a6cc74bcf79d84db28250",
    ),
    "test": PublishedFile(
        "the pen strokes of MNIST's test digits",
        "mnist_strokes",
        (f"{_ADDRESS}/test-padded-leading.tar.gz",),
        "0beaf9be441f4efa5497f0accd0c0423eaad9f6ad353f991a28ec99f5c71b404",
    ),
}

# Of the training file; the rest validates.
_TRAINING: Final = 55_000

# The files are in the order of MNIST, by writers, so that the first digits are no sample of all.
_SEED: Final = 0


@dataclass(frozen=True)
class TupleCode:
    """Numbers for tuples of four: those that occur at least twice have one each.

    The others share the last number and cannot be told apart again; it decodes to zeros.
    """

    tuples: NDArray[np.int16]
    """The tuples that have numbers of their own, in their order; shape `[V - 1, 4]`."""

    @classmethod
    def of(cls, rows: NDArray[Any]) -> TupleCode:
        """Return the code of the tuples `[N, 4]` of a training set."""
        keys, counts = np.unique(_keys(rows), return_counts=True)
        return cls(keys[counts >= 2, None].view(np.int16))

    @property
    def size(self) -> int:
        """V, how many numbers there are."""
        return len(self.tuples) + 1

    def encode(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        """Return the numbers of tuples, `[N, 4]` -> `[N]`."""
        known, keys = _keys(self.tuples), _keys(rows)
        places = np.searchsorted(known, keys).clip(max=len(known) - 1)
        return np.where(known[places] == keys, places, len(known))

    def decode(self, numbers: NDArray[Any]) -> NDArray[np.int16]:
        """Return the tuples of numbers, `[N]` -> `[N, 4]`."""
        zeros = np.zeros_like(self.tuples[:1])
        return np.concatenate([self.tuples, zeros])[numbers.astype(np.int64)]


def _keys(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return tuples of four small numbers as one number each, `[N, 4]` -> `[N]`."""
    return np.ascontiguousarray(rows, np.int16).view(np.int64)[:, 0]


@dataclass(frozen=True)
class PenStrokes:
    """The digits as sequences of numbers, `[steps, 1]`, one for each tuple (dx, dy, eos, eod).

    The first tuple of a digit is where it starts, y growing downwards. `eos` marks the end of a
    stroke; the next tuple is the way to the start of another one. `eod` marks the end of the digit.
    """

    training: SequenceSet
    """55,000 digits."""
    validation: SequenceSet
    """The 5,000 other digits of the training file, shuffled."""
    test: SequenceSet
    """10,000 digits of other writers, shuffled."""
    code: TupleCode
    """What the numbers mean, made from the training digits."""


def pen_strokes(report: Callable[[str], None] = print) -> PenStrokes:
    """Return the pen strokes of MNIST.

    Parameters
    ----------
    report
        Called with a line of text before a download.

    Raises
    ------
    DataError
        A file is damaged or another one, or cannot be downloaded.
    StorageError
        The cache cannot be written.
    """
    train, test = (_digits(FILES[part], report) for part in ("train", "test"))
    code = TupleCode.of(np.concatenate(train[:_TRAINING]))
    return PenStrokes(
        _numbered("pen strokes, training", train[:_TRAINING], code),
        _numbered("pen strokes, validation", train[_TRAINING:], code).shuffled(_SEED),
        _numbered("pen strokes, test", test, code).shuffled(_SEED),
        code,
    )


def _digits(file: PublishedFile, report: Callable[[str], None]) -> list[NDArray[np.int8]]:
    """Return the rows `[steps, 4]` of each digit."""
    content = published_content(file, report)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        member = archive.extractfile(archive.getmembers()[0])
        padded = np.load(io.BytesIO(b"" if member is None else member.read()))  # [N, 117, 4]
    if padded.ndim != 3 or padded.shape[2] != 4:
        raise DataError(f"{file.name}: expected [digits, steps, 4], found {padded.shape}")
    # Zeros stand in front; a digit has no row of zeros.
    starts = (padded != 0).any(-1).argmax(1)
    return [rows[start:].astype(np.int8) for rows, start in zip(padded, starts, strict=True)]


def _numbered(name: str, digits: Sequence[NDArray[np.int8]], code: TupleCode) -> SequenceSet:
    numbers = code.encode(np.concatenate(digits)).astype(np.int16)[:, None]
    ends = np.cumsum([len(digit) for digit in digits])[:-1]
    return SequenceSet(name, np.split(numbers, ends))
