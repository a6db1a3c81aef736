"""Seeds for independent streams of randomness."""

from __future__ import annotations

import numpy as np

__all__ = ["update_seed"]


def update_seed(seed: int, stream: int, index: int) -> int:
    """Return a seed for one use of randomness, independent of every other (stream, index)."""
    return int(np.random.SeedSequence((seed, stream, index)).generate_state(1, np.uint64)[0] >> 1)
