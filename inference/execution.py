"""How the arithmetic of a training is carried out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

import torch
from torch import nn

from inference.objective import NEMObjective
from inference.processes import Processes
from pyro_nem.checks import one_of
from pyro_nem.errors import ConfigError

__all__ = ["Execution", "Precision", "captures", "prepare"]

# The oldest GPUs (compute capability) that Triton generates code for.
_TRITON = (7, 0)

Precision = Literal["float32", "tf32", "bfloat16"]


@dataclass(frozen=True)
class Execution:
    """How the arithmetic of a training is carried out; what is computed stays the same."""

    precision: Precision = "float32"
    """float32; tf32 (products of CUDA's tensor cores, with 10 bits of mantissa); or bfloat16 within
    encoder, cell and decoder, the rest as with tf32 where there is CUDA and else in float32."""

    compile: bool = False
    """Fuse the layers of each network with torch.compile."""

    capture: bool = False
    """Replay updates as one CUDA graph."""

    resident: bool = False
    """Hold the training frames on the device."""

    def __post_init__(self) -> None:
        one_of(Precision, precision=self.precision)

    @staticmethod
    def usual(device: torch.device | str) -> Execution:
        """Return what suits a device: everything but bfloat16 on CUDA, nothing on a CPU.

        On a CPU torch.compile does not pay: the networks' time is spent in products and
        convolutions, for which it calls the same libraries (docs/speed.md has the figures).
        """
        if torch.device(device).type != "cuda":
            return Execution()
        return Execution("tf32", compile=_can_compile(device), capture=True, resident=True)

    def check(self, device: torch.device | str) -> None:
        """Check that a device can do this.

        Raises
        ------
        ConfigError
            If it cannot.
        """
        if torch.device(device).type == "cuda":
            return
        needs_cuda = {"precision tf32": self.precision == "tf32", "capture": self.capture}
        for option, asked in needs_cuda.items():
            if asked:
                raise ConfigError(
                    f"{option}: only CUDA devices have it, but the device is {device}; leave it out"
                )


def prepare(objective: NEMObjective, execution: Execution) -> None:
    """Set the precision of products, and compile the networks of a model and its guide in place.

    The precision of float32 products on CUDA is a setting of the whole process. Networks that were
    compiled before stay so.

    Raises
    ------
    ConfigError
        If the objective's device cannot do this.
    """
    execution.check(next(objective.parameters()).device)
    coarse = execution.precision != "float32"
    # These two agree with each other and with what torch.compile reads; PyTorch's newer flags,
    # which are set by backend, make reading the older ones an error.
    torch.set_float32_matmul_precision("high" if coarse else "highest")
    torch.backends.cudnn.allow_tf32 = coarse
    objective.model.network_dtype = torch.bfloat16 if execution.precision == "bfloat16" else None
    if execution.compile:
        for network in _networks(objective):
            network.compile()


def _can_compile(device: torch.device | str) -> bool:
    """Return whether kernels can be generated for a GPU: by Triton, and a C compiler for it."""
    compilers = (os.environ.get("CC"), "gcc", "clang", "cc")
    return (
        find_spec("triton") is not None
        and any(shutil.which(name) is not None for name in compilers if name)
        and torch.cuda.get_device_capability(device) >= _TRITON
    )


def captures(
    execution: Execution,
    objective: NEMObjective,
    processes: Processes,
    report: Callable[[str], None],
) -> bool:
    """Return whether updates are captured; if they were to be and cannot, tell ``report`` why."""
    if not execution.capture:
        return False
    if processes.count > 1:
        report("several processes exchange gradients, so updates are not captured")
        return False
    if objective.bound.objective == "trace_enum":
        report("Pyro's TraceEnum_ELBO waits for the device, so updates are not captured")
        return False
    return True


def _networks(objective: NEMObjective) -> Iterator[nn.Module]:
    guide = objective.guide
    assert isinstance(guide, nn.Module)
    for network in (objective.model.decoder, *guide.children()):
        # Single layers of PyTorch, and plain sequences of them, are not compiled by themselves.
        if not type(network).__module__.startswith("torch.nn."):
            yield network
