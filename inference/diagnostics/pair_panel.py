"""A fixed panel of pairs of pixels for each sequence."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.streams import Stream, update_seed

__all__ = ["PairPanel", "draw_pairs"]


class PairPanel(NamedTuple):
    """Pairs of pixels of the last frame, the same for all chains and draws.

    Attributes
    ----------
    pixels
        The pixels of each pair, LongTensor [B, P, 2].
    same
        1 where both belong to the same object, 0 where they do not, -1 where that is not known,
        int8 [B, P].
    """

    pixels: Tensor
    same: NDArray[np.int8]


def draw_pairs(labels: Tensor, pairs: int, *, seed: int, first: int) -> PairPanel:
    """Draw pairs of different pixels for each sequence, all such pairs being equally probable.

    They are pairs of scored pixels, whose truth is known. A sequence with fewer than two of those
    gets pairs of any pixels, of unknown truth.

    Parameters
    ----------
    labels
        True object of each pixel, 0 where not scored, [B, D]; D is at least 2.
    pairs
        P.
    seed
        Fixes the pairs, with the number of the sequence.
    first
        Number of the first sequence.
    """
    pixels, same = [], []
    for index, groups in enumerate(labels.cpu().numpy(), start=first):
        scored = np.flatnonzero(groups)
        known = len(scored) > 1
        pool = scored if known else np.arange(len(groups))
        generator = np.random.default_rng(update_seed(seed, Stream.PAIRS, index))
        one = generator.integers(len(pool), size=pairs)
        other = (one + generator.integers(1, len(pool), size=pairs)) % len(pool)
        chosen = pool[np.stack([one, other], 1)]  # [P, 2]
        pixels.append(chosen)
        agree = groups[chosen[:, 0]] == groups[chosen[:, 1]]
        same.append(np.where(known, agree, -1).astype(np.int8))
    return PairPanel(torch.from_numpy(np.stack(pixels)).to(labels.device), np.stack(same))
