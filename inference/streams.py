"""Seeds for independent streams of randomness."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

__all__ = ["Stream", "update_seed"]


class Stream(IntEnum):
    """What randomness is for."""

    TRAINING = 0
    SCORES = 1
    PREDICTION = 2
    BOUNDS = 3
    DIAGNOSIS = 4
    PAIRS = 5
    ACTIVITY = 6
    SIMULATION = 7


def update_seed(seed: int, stream: Stream, index: int, rank: int = 0) -> int:
    """Return a seed for one use of randomness, independent of every other.

    Parameters
    ----------
    seed
        The user's.
    stream
        What it is for.
    index
        Number of the update or batch.
    rank
        Which of several processes draws; the first draws as a single one does.
    """
    parallel = (rank,) if rank > 0 else ()
    sequence = np.random.SeedSequence((seed, stream, index), spawn_key=parallel)
    return int(sequence.generate_state(1, np.uint64)[0] >> 1)
