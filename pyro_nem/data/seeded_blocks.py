"""The order in which generators draw: block by block, each from a random stream of its own."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from pyro_nem.checks import one_of
from pyro_nem.data.layout import SPLITS, FrameBlock

__all__ = ["GeneratorConfig", "seeded_blocks"]


class GeneratorConfig(Protocol):
    """What the configuration of every generator has."""

    @property
    def training(self) -> int:
        """Sequences to train on."""

    @property
    def validation(self) -> int:
        """Sequences for validation."""

    @property
    def test(self) -> int:
        """Sequences for the final test."""

    @property
    def seed(self) -> int:
        """Seed of all three splits."""


def seeded_blocks(
    config: GeneratorConfig,
    split: str,
    block_size: int,
    make: Callable[[np.random.Generator, int], FrameBlock],
) -> Iterator[FrameBlock]:
    """Return an iterator over the sequences of one split, in blocks.

    Every block has its own random generator, seeded by (seed, split, block), so the data are the
    same on every machine and no block depends on another.

    Parameters
    ----------
    config
        The sizes of the splits, and the seed.
    split
        `training`, `validation` or `test`.
    block_size
        Sequences of each block but the last.
    make
        Returns a block's first sequences, given its generator and how many. For a smaller split to
        be the beginning of a larger one, it must draw the same for every number of them.

    Raises
    ------
    ConfigError
        The split is not one of the three.
    """
    one_of(SPLITS, split=split)
    total: int = getattr(config, split)

    def block(start: int) -> FrameBlock:
        key = (SPLITS.index(split), start // block_size)
        seeds = np.random.SeedSequence(config.seed, spawn_key=key)
        return make(np.random.default_rng(seeds), min(block_size, total - start))

    return (block(start) for start in range(0, total, block_size))
