"""Handwriting as sequences of movements of a pen, whatever recordings it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pyro_nem.checks import one_of
from pyro_nem.data.scaling import Scaling
from pyro_nem.data.sequences import SequenceSet
from pyro_nem.errors import DataError

__all__ = ["Handwriting", "MoveScale", "to_handwriting", "to_moves"]

MoveScale = Literal["pooled", "published"]


@dataclass(frozen=True)
class Handwriting:
    """Drawings or lines as rows (pen, dx, dy), `[steps, 3]`, y growing downwards.

    A row leads from one recorded point to the next; pen is 1 if the stroke ends there, so that the
    next row is the way to another one. The first point is left out, as its place says nothing. The
    sets hold units of the recorder and carry the scaling that their batches have.
    """

    training: SequenceSet
    """To train on."""
    validation: SequenceSet
    """To choose weights by."""
    test: SequenceSet
    """To report."""
    scaling: Scaling
    """One standard deviation of both coordinates; neither they nor the pen are shifted."""


def to_moves(strokes: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """Return strokes, each `[points, 2]`, as rows (pen, dx, dy), `[points of all - 1, 3]`."""
    points = np.concatenate(strokes).astype(np.float64)
    pen = np.zeros(len(points))
    pen[np.cumsum([len(stroke) for stroke in strokes]) - 1] = 1.0
    return np.column_stack([pen[1:], np.diff(points, axis=0)])


def to_handwriting(
    title: str,
    training: Sequence[NDArray[Any]],
    validation: Sequence[NDArray[Any]],
    test: Sequence[NDArray[Any]],
    scale: MoveScale = "pooled",
) -> Handwriting:
    """Return movements with their scaling.

    Parameters
    ----------
    title
        What messages call the data.
    training, validation, test
        The splits, each a list of rows as :func:`to_moves` gives them. One without rows is left
        out.
    scale
        pooled: the standard deviation of both coordinates of the training movements together.
        published: that times the root of 2, as the released code of Chung et al. (2015) has it,
        which divides the squares of both coordinates by the number of steps. Its densities are
        higher by ln 2 a step, for no other reason.

    Raises
    ------
    ConfigError
        The scale is neither of these.
    DataError
        A split is empty, or nothing moves.
    """
    one_of(MoveScale, scale=scale)
    moves = np.concatenate([rows[:, 1:] for rows in training if len(rows)] or [np.zeros((1, 2))])
    std = float(moves.std()) * (np.sqrt(2.0) if scale == "published" else 1.0)
    if not std > 0.0:
        raise DataError(f"{title}: expected movements to train on, found none")
    scaling = Scaling(np.zeros(3), np.array([1.0, std, std]))

    def split(name: str, part: Sequence[NDArray[Any]]) -> SequenceSet:
        return SequenceSet(f"{title}, {name}", [rows for rows in part if len(rows)], scaling)

    return Handwriting(
        split("training", training), split("validation", validation), split("test", test), scaling
    )
