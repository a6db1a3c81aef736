"""The seeded order in which an epoch of training visits the sequences.

Departure from the released code: the original shuffles only the order of fixed batches
of consecutive sequences, so the same sequences meet in every epoch. Here blocks of consecutive
sequences are permuted, and sequences are permuted within a window of blocks, so batches change
from epoch to epoch while a file on disk is still read in long runs.
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from pyro_nem.data.windows import BLOCK
from pyro_nem.errors import ConfigError

__all__ = ["WINDOW", "epoch_order", "window_order"]

WINDOW: Final = 1024
"""Sequences that are in memory together and mixed, unless told otherwise."""


def epoch_order(
    num_sequences: int, *, batch_size: int, seed: int, epoch: int, window: int = WINDOW
) -> torch.Tensor:
    """Return the sequences of each batch that `epoch_batches` gives for the same arguments.

    Parameters
    ----------
    num_sequences
        N of the source.
    batch_size
        B, the sequences of each batch; a last incomplete batch is dropped.
    seed, epoch
        Non-negative integers that fix the order.
    window
        Sequences that are mixed, rounded up to blocks of 64. The order depends on it.

    Returns
    -------
    Tensor
        Indices of sequences, int64 on the CPU; shape `[num_batches, B]`.

    Raises
    ------
    ConfigError
        There are fewer sequences than one batch, a size is below 1, or `seed` or `epoch` is
        negative.
    """
    if not 1 <= batch_size <= num_sequences:
        raise ConfigError(
            f"batch_size: expected 1 to {num_sequences}, the number of sequences, got {batch_size}"
        )
    order = np.concatenate(window_order(num_sequences, window=window, seed=seed, epoch=epoch))
    whole = num_sequences - num_sequences % batch_size
    return torch.from_numpy(order[:whole]).reshape(-1, batch_size)


def window_order(
    num_sequences: int, *, window: int, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Return the sequences of each window of an epoch, shuffled; each shape `[n]`.

    Raises
    ------
    ConfigError
        The window is below 1, or `seed` or `epoch` is negative.
    """
    if window < 1:
        raise ConfigError(f"window: expected at least 1, got {window}")
    if min(seed, epoch) < 0:
        raise ConfigError(f"seed and epoch: expected none to be negative, got {seed} and {epoch}")
    generator = np.random.default_rng((seed, epoch))
    blocks = generator.permutation(-(-num_sequences // BLOCK))
    blocks_per_window = -(-window // BLOCK)
    order = []
    for first in range(0, len(blocks), blocks_per_window):
        starts = blocks[first : first + blocks_per_window] * BLOCK
        sequences = (starts[:, None] + np.arange(BLOCK)).ravel()  # [n]
        order.append(generator.permutation(sequences[sequences < num_sequences]))
    return order
