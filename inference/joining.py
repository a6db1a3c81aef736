"""Finding the processes that torchrun started together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import torch

# Its functions have the process group of the moment when it is imported as a default argument. The
# first step of an optimiser imports it, too, and would so keep alive a group that is destroyed
# later, whose threads may then abort the interpreter at its end.
import torch.distributed.nn
from torch import distributed
from torch.distributed import PrefixStore  # type: ignore[attr-defined]  # exported by a star
from torch.distributed.rendezvous import rendezvous

from inference.processes import ALONE, Processes
from pyro_nem.errors import ConfigError, ProcessError

__all__ = ["expected_processes", "joined", "said_first"]

# Longer than any process works without hearing of the others, while one draws figures, say.
_TIMEOUT: Final = timedelta(minutes=30)


def expected_processes() -> Processes:
    """Return what torchrun says in the environment of a process, before it has joined others.

    Nothing can be communicated yet.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    return Processes(int(os.environ["RANK"]), count) if count > 1 else ALONE


@contextmanager
def joined(device: torch.device | str = "cpu") -> Iterator[Processes]:
    """Join the processes that torchrun started with this one; without torchrun it is alone.

    Within another ``joined``, or where the caller has made PyTorch's default process group (with a
    backend for the CPU, too), that one is used and stays.

    Parameters
    ----------
    device
        Where this process computes. "cuda" is the GPU of its own, which becomes PyTorch's current
        one.

    Raises
    ------
    ConfigError
        If there are fewer GPUs than processes.
    ProcessError
        If another process has died or cannot be reached.
    """
    if distributed.is_initialized():
        yield Processes(distributed.get_rank(), distributed.get_world_size())
        return
    processes = expected_processes()
    if processes.count == 1:
        yield ALONE
        return
    _join(processes, torch.device(device))
    in_good_order = False
    try:
        yield processes
        # No process leaves while another one needs it.
        processes.wait()
        in_good_order = True
    finally:
        # After an error Gloo closes its connections, which the others notice. NCCL might wait for
        # others that are gone, so the end of the process has to do.
        if in_good_order or distributed.get_backend() == "gloo":
            distributed.destroy_process_group()


def _join(processes: Processes, device: torch.device) -> None:
    backend = "gloo"
    if device.type == "cuda":
        backend = "cpu:gloo,cuda:nccl"
        torch.cuda.set_device(_own_gpu() if device.index is None else device.index)
    try:
        store, rank, count = next(rendezvous("env://", timeout=_TIMEOUT))
        # A process may join again after it left, and must not find the addresses of last time.
        times = store.add(f"joined by {rank}", 1)
        distributed.init_process_group(
            backend,
            store=PrefixStore(f"meeting {times}", store),
            rank=rank,
            world_size=count,
            timeout=_TIMEOUT,
        )
    except RuntimeError as error:
        raise ProcessError(
            f"cannot join the other ones of {processes.count} processes ({error}); start them "
            "together with torchrun, and see what became of the others"
        ) from error
    processes.wait()


def _own_gpu() -> int:
    local, gpus = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if local >= gpus:
        raise ConfigError(
            f"device: each process takes a GPU of its own, but this machine has {gpus} for process "
            f"{local} and those before it; start torchrun with --nproc-per-node {gpus}"
        )
    return local


def said_first(text: str) -> bool:
    """Return whether no other process of this run has said the same; alone one always has not.

    For errors that befall all processes alike. Works before the processes have joined, and after
    others have died.
    """
    if expected_processes().count == 1:
        return True
    try:
        # The store is torchrun's own, and outlives the processes.
        store, *_ = next(rendezvous("env://", timeout=timedelta(seconds=10)))
        return bool(store.add(f"said {text}", 1) == 1)
    except RuntimeError:
        # Better twice than never.
        return True
