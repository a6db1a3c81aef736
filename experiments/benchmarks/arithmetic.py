"""How much arithmetic a step does, and how much its device can do."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from experiments.benchmarks.timing import wait_for

__all__ = ["count_operations", "matrix_rate"]

_CPU_SIZE, _CUDA_SIZE = 1024, 8192
_SECONDS = 0.3


def count_operations(step: Callable[[], None]) -> int:
    """Return the floating-point operations of a step's matrix products and convolutions.

    A multiplication and an addition count as two; everything else is left out. What is counted is
    what is computed: work that is avoided does not count.
    """
    with FlopCounterMode(display=False) as counter:
        step()
    return int(counter.get_total_flops())


def matrix_rate(device: str) -> float:
    """Return the operations a second that the device reaches on one large product, in float32.

    The faster of a matrix product and a 3x3 convolution: on a CPU they come from two libraries, of
    which one may suit the processor less. On CUDA with the precision that is set (TF32 or not).
    """
    size = _CUDA_SIZE if device.startswith("cuda") else _CPU_SIZE
    matrix = torch.rand(size, size, device=device)
    channels = size // 8
    images = torch.rand(16, channels, 28, 28, device=device)
    kernel = torch.rand(channels, channels, 3, 3, device=device)

    def multiply() -> None:
        torch.mm(matrix, matrix)

    def convolve() -> None:
        F.conv2d(images, kernel, padding=1)

    return max(_rate(product, device) for product in (multiply, convolve))


def _rate(product: Callable[[], None], device: str) -> float:
    operations = count_operations(product)
    wait_for(device)
    best, until = 0.0, time.perf_counter() + _SECONDS
    while time.perf_counter() < until:
        started = time.perf_counter()
        product()
        wait_for(device)
        best = max(best, operations / (time.perf_counter() - started))
    return best
