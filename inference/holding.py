"""Training frames that stay on the device."""

from __future__ import annotations

from collections.abc import Callable

import torch

from pyro_nem.data import MEMORY_LIMIT, FrameSource, ResidentFrames
from pyro_nem.errors import MemoryLimitError

__all__ = ["hold_frames"]


def hold_frames(
    source: FrameSource, steps: int, device: torch.device, report: Callable[[str], None]
) -> ResidentFrames | None:
    """Return the frames of a source on a device, or None, saying why, if they do not fit.

    Parameters
    ----------
    source
        The training frames.
    steps
        T of the recurrence; T + 1 frames of each sequence are held.
    device
        Where they are to be. On CUDA they take at most half of the free memory.
    report
        Takes a line if they do not fit.
    """
    limit = MEMORY_LIMIT
    if device.type == "cuda":
        limit = min(limit, torch.cuda.mem_get_info(device)[0] // 2)
    try:
        return ResidentFrames(source, frames=steps + 1, device=device, memory_limit=limit)
    except MemoryLimitError as error:
        report(f"frames are not held on {device}, batches are read from the source: {error}")
        return None
