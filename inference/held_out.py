"""Batches to score, with noise that a seed fixes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import torch
from torch import Generator

from inference.streams import Stream, update_seed
from pyro_nem.data import WHOLE, FrameBatch, FrameSource, Share, ordered_batches

__all__ = ["held_out_batches"]


def held_out_batches(
    source: FrameSource,
    *,
    frames: int,
    batch_size: int,
    seed: int,
    stream: Stream,
    device: torch.device,
    sequences: int | None = None,
    collisions: bool = False,
    share: Share = WHOLE,
) -> Iterator[tuple[FrameBatch, Generator]]:
    """Yield batches in file order, each with a generator of its own.

    Parameters
    ----------
    source
        The frames.
    frames, batch_size, sequences, collisions, share
        See :func:`pyro_nem.data.ordered_batches`.
    seed, stream
        Fix each generator, with the number of its batch; see
        :func:`inference.streams.update_seed`.
    device
        Where the generators live.
    """
    batches = ordered_batches(
        source,
        frames=frames,
        batch_size=batch_size,
        sequences=sequences,
        collisions=collisions,
        share=share,
    )
    for index, batch in zip(count(share.index, share.count), batches, strict=False):
        yield batch, torch.Generator(device).manual_seed(update_seed(seed, stream, index))
