"""Speech as sequences of frames, whatever recordings it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pyro_nem.data.recordings import Recording, frames_of
from pyro_nem.data.scaling import Scaling
from pyro_nem.data.sequences import SequenceSet
from pyro_nem.data.stored_rows import Rows, loaded
from pyro_nem.errors import DataError

__all__ = ["FRAME", "Speech", "to_speech"]

FRAME: Final = 200
"""Samples of a frame, as in Chung et al. (2015)."""


@dataclass(frozen=True)
class Speech:
    """Recordings as sequences of frames that do not overlap, `[frames, 200]`, 16 bits.

    A recording's last, incomplete frame is left out: all that is scored is whole frames, and nats a
    sample are nats a frame divided by 200. The sets carry the scaling that their batches have.
    """

    training: SequenceSet
    """To train on."""
    validation: SequenceSet
    """To choose weights by."""
    test: SequenceSet
    """To report."""
    rate: int
    """Samples a second."""
    scaling: Scaling
    """One mean and one standard deviation of all samples."""


def to_speech(
    title: str,
    training: Sequence[Recording],
    validation: Sequence[Recording],
    test: Sequence[Recording],
    scaled_by: Sequence[Recording],
) -> Speech:
    """Return recordings as frames.

    Parameters
    ----------
    title
        What messages call the data.
    training, validation, test
        The splits. A recording that is shorter than a frame is left out.
    scaled_by
        The recordings whose mean and standard deviation are taken.

    Raises
    ------
    DataError
        Recordings differ in their rate, all are silent, or a split is empty.
    """
    rates = sorted({recording.rate for part in (training, validation, test) for recording in part})
    if len(rates) > 1:
        raise DataError(
            f"{title}: expected recordings of one rate, found {rates} samples a second; "
            "resample them"
        )
    scaling = _scaling(title, [recording.samples for recording in scaled_by])

    def split(name: str, part: Sequence[Recording]) -> SequenceSet:
        framed = [frames_of(recording.samples, FRAME) for recording in part]
        return SequenceSet(f"{title}, {name}", [x for x in framed if len(x)], scaling)

    return Speech(
        split("training", training),
        split("validation", validation),
        split("test", test),
        rates[0],
        scaling,
    )


def _scaling(title: str, recordings: Sequence[Rows]) -> Scaling:
    """Return one mean and one standard deviation, in one pass over what may be on disk."""
    count, total, squares = 0, 0.0, 0.0
    for recording in recordings:
        samples = loaded(recording).astype(np.float64)
        count += len(samples)
        total += float(samples.sum())
        squares += float(samples @ samples)
    mean = total / max(count, 1)
    variance = squares / max(count, 1) - mean**2
    if not variance > 0.0:
        raise DataError(f"{title}: expected sound, found {count} samples that are all the same")
    return Scaling(np.full(FRAME, mean), np.full(FRAME, np.sqrt(variance)))
