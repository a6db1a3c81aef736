"""Fingerprints of data, which tell whether two sources hold the same."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data.batches import ordered_batches
from pyro_nem.data.frames import FrameSource

__all__ = ["arrays_sha256", "frames_sha256"]

_AT_ONCE = 64


def frames_sha256(source: FrameSource, frames: int, sequences: int | None = None) -> str:
    """Return the SHA-256 of clean frames, as hexadecimal digits.

    Parameters
    ----------
    source
        The data.
    frames
        Frames of each sequence, the first ones; a static image is repeated.
    sequences
        How many sequences, the first ones; None for all.

    Raises
    ------
    ConfigError
        The sequences are too short, or a number is below 1.
    """
    digest = hashlib.sha256()
    batches = ordered_batches(source, frames=frames, batch_size=_AT_ONCE, sequences=sequences)
    for batch in batches:
        # Sequence by sequence, so that batches of any size give the same.
        digest.update(batch.frames.transpose(0, 1).contiguous().numpy().tobytes())
    return digest.hexdigest()


def arrays_sha256(arrays: Iterable[NDArray[Any]]) -> str:
    """Return the SHA-256 of arrays with their types and shapes, as hexadecimal digits."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
