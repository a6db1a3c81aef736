"""Which videos train, validate and test."""

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data import SPLITS
from pyro_nem.errors import ConfigError

__all__ = ["deal"]


def deal(
    num_videos: int, *, validation: float, test: float, seed: int | None
) -> dict[str, NDArray[np.int64]]:
    """Return the videos of each split, a partition of all of them.

    Parameters
    ----------
    num_videos
        N.
    validation, test
        Their shares of N, rounded; the rest is for training.
    seed
        Deals them out at random; None keeps the order, training first and test last.

    Raises
    ------
    ConfigError
        A split would be empty, or a share is no fraction.
    """
    for name, share in (("validation", validation), ("test", test)):
        if not 0.0 < share < 1.0:
            raise ConfigError(f"{name}: expected a fraction between 0 and 1, got {share}")
    held_out = [round(share * num_videos) for share in (validation, test)]
    counts = [num_videos - sum(held_out), *held_out]
    if min(counts) < 1:
        found = ", ".join(f"{name} {count}" for name, count in zip(SPLITS, counts, strict=True))
        raise ConfigError(
            f"validation, test: of {num_videos} videos each split needs one or more, got "
            f"{found}; bring more videos, or choose other fractions"
        )
    order = np.arange(num_videos)
    if seed is not None:
        order = np.random.default_rng(seed).permutation(num_videos)
    parts = np.split(order, np.cumsum(counts)[:-1])
    return dict(zip(SPLITS, parts, strict=True))
