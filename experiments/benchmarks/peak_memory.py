"""The memory that a step needs beyond what is there between steps."""

from __future__ import annotations

import os
from collections.abc import Callable

import torch
from torch.autograd.profiler import profile, record_function

__all__ = ["peak_memory"]

# Read when the first profile starts; without it each one reports itself on standard error.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")

_MEASURED = "measured step"


def peak_memory(step: Callable[[], None], device: str) -> int:
    """Return the most bytes that a step holds at once, above those allocated before it.

    The step runs twice, and the second run counts: what the first leaves behind, for instance the
    optimiser's moments, is the resting state. What the second frees of it (gradients, say) makes
    room for what it allocates.

    On CUDA it is the allocator's own counter. PyTorch has none for the CPU, and the size of the
    process tells what the C library keeps, not what is in use. So every allocation that PyTorch's
    profiler records is added up, those within a kernel too: as on CUDA, and the same number each
    time. Memory that a library takes by itself (oneDNN, for instance) is not seen.

    Parameters
    ----------
    step
        What to measure.
    device
        Where it runs: cpu, cuda or cuda:N.
    """
    return _peak_on_cuda(step, device) if device.startswith("cuda") else _peak_on_cpu(step)


def _peak_on_cuda(step: Callable[[], None], device: str) -> int:
    step()
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    resting = torch.cuda.memory_allocated(device)
    step()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - resting


def _peak_on_cpu(step: Callable[[], None]) -> int:
    with profile(profile_memory=True) as recorded:
        # Both are recorded, because of older memory the profiler would not know the size when the
        # second run frees it.
        step()
        with record_function(_MEASURED):
            step()
    assert recorded.kineto_results is not None, "the profiler recorded nothing"
    events = sorted(recorded.kineto_results.events(), key=lambda event: event.start_ns())
    (measured,) = (event for event in events if event.name() == _MEASURED)
    now = peak = 0
    for event in events:
        if event.name() == "[memory]" and measured.start_ns() <= event.start_ns():
            now += event.nbytes()  # negative where memory is freed
            peak = max(peak, now)
    return peak
