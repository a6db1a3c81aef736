"""Images whose grey levels are probabilities of bits, and the batches of bits drawn from them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pyro_nem.checks import at_least
from pyro_nem.data.order import epoch_order
from pyro_nem.data.share import WHOLE, Share
from pyro_nem.errors import ConfigError, DataError

__all__ = ["ImageSet", "bit_batches"]

_WHITE = 255

# Keeps the draws of an update apart from those of a fixed set of bits with the same seed. A fixed
# set shares its key with the order of epoch 1: held-out images of published results have to stay
# those they are, and no training depends on them.
_OF_UPDATES, _OF_SETS = 0, 1

# NumPy takes (seed, 0) and (seed, 0, 0) for one key, and the order of epoch 0 has the first.
_END = 1


class ImageSet:
    """A split of a data set of grey images, held in memory.

    Parameters
    ----------
    name
        What error messages call the data.
    levels
        Grey levels from 0 to 255, at least one image; shape `[N, rows, columns]`.

    Raises
    ------
    DataError
        There is no image, or the array has other axes or another type.
    """

    def __init__(self, name: str, levels: NDArray[np.uint8]) -> None:
        if levels.ndim != 3 or not levels.size or levels.dtype != np.uint8:
            raise DataError(
                f"{name}: expected uint8 [images, rows, columns] with at least one image, found "
                f"{levels.dtype} {list(levels.shape)}"
            )
        self.name = name
        self.levels = levels

    def __len__(self) -> int:
        return len(self.levels)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of an image."""
        return self.levels.shape[1], self.levels.shape[2]

    @property
    def size(self) -> int:
        """D, the pixels of an image."""
        rows, columns = self.shape
        return rows * columns

    def mean(self) -> Tensor:
        """Return the mean of each pixel in [0, 1], float32; shape `[D]`."""
        mean = self.levels.mean(0, dtype=np.float64).ravel() / _WHITE
        return torch.from_numpy(mean).float()

    def first(self, count: int) -> ImageSet:
        """Return the set of the first `count` images, or of all if there are fewer."""
        return ImageSet(self.name, self.levels[:count])

    def shuffled(self, seed: int) -> ImageSet:
        """Return the same images in an order that the seed fixes."""
        order = np.random.default_rng(seed).permutation(len(self))
        return ImageSet(self.name, self.levels[order])

    def binarised(self, seed: int) -> ImageSet:
        """Return images of 0 and 255, each pixel drawn once with its grey level as probability."""
        generator = np.random.default_rng((seed, _OF_SETS))
        drawn = generator.random(self.levels.shape, np.float32) * _WHITE < self.levels
        return ImageSet(self.name, drawn.astype(np.uint8) * _WHITE)

    def probabilities(self, indices: Tensor | slice) -> Tensor:
        """Return chosen images as probabilities of bits, float32; shape `[B, D]`."""
        chosen = self.levels[indices if isinstance(indices, slice) else indices.numpy()]
        return torch.from_numpy(chosen.reshape(len(chosen), -1)).float() / _WHITE


def bit_batches(
    source: ImageSet, *, batch_size: int, seed: int, start: int = 0, share: Share = WHOLE
) -> Iterator[Tensor]:
    """Yield the batches of updates `start`, `start + 1`, ... without end; epochs follow each other.

    Each time that an image is seen its bits are drawn anew (dynamic binarisation); an image of 0
    and 255 is always the same. Order and bits are functions of seed and update, so that a resumed
    run sees what an uninterrupted one does. An epoch's last incomplete batch is dropped.

    Parameters
    ----------
    source
        The data.
    batch_size
        B, the images of each batch.
    seed
        Fixes order and bits.
    start
        Number of the first batch, counted from 0 over all epochs.
    share
        The part of each batch that is returned; all shares together have the batch.

    Yields
    ------
    Tensor
        0 and 1, float32; shape `[B, D]`.

    Raises
    ------
    ConfigError
        There are fewer images than one batch, or the batch cannot be shared equally.
    """
    at_least(1, batch_size=batch_size)
    at_least(0, start=start)
    if len(source) < batch_size:
        raise ConfigError(
            f"batch_size: {source.name} has {len(source)} images, fewer than one batch of "
            f"{batch_size}; choose a smaller batch"
        )
    size = share.size(batch_size)
    return _batches(
        source, batch_size, seed, start, slice(share.index * size, (share.index + 1) * size)
    )


def _batches(
    source: ImageSet, batch_size: int, seed: int, start: int, own: slice
) -> Iterator[Tensor]:
    update = start
    epoch, skip = divmod(start, len(source) // batch_size)
    while True:
        order = epoch_order(
            len(source), batch_size=batch_size, seed=seed, epoch=epoch, window=len(source)
        )
        for chosen in order[skip:]:
            generator = np.random.default_rng((seed, _OF_UPDATES, update, _END))
            # All processes draw the bits of the whole batch, so that their number changes nothing.
            drawn = torch.from_numpy(generator.random((batch_size, source.size), np.float32))[own]
            yield (drawn < source.probabilities(chosen[own])).float()
            update += 1
        epoch, skip = epoch + 1, 0
