"""Updates that are recorded as a CUDA graph once and then replayed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

import torch
from torch import Generator, Tensor, nn

from inference.task import BatchT, Metrics, Task
from inference.training_config import TrainingConfig
from inference.update import Update

__all__ = ["CapturedUpdate", "Recorder", "cuda_graph"]

ResultT = TypeVar("ResultT")

# Updates before the recording, in which libraries choose their kernels and allocate for them.
_WARM_UP = 3


class Recorder(Protocol):
    """Records what a function makes a device do."""

    def __call__(self, body: Callable[[], ResultT], generator: Generator) -> Callable[[], ResultT]:
        """Return a function that makes the device do it again, with the same memory.

        ``generator`` is the source of randomness of ``body``; each time it starts from the seed
        that it was given last.
        """
        ...


def cuda_graph(body: Callable[[], ResultT], generator: Generator) -> Callable[[], ResultT]:
    """Record a function as a CUDA graph; nothing is computed until it is replayed.

    What the function returns is returned by every replay: its tensors are overwritten each time.
    """
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        result = body()

    def replay() -> ResultT:
        graph.replay()
        return result

    return replay


class CapturedUpdate(Update[BatchT]):
    """An update that launches all of its kernels at once.

    Recurrence, E-steps, bound, backward pass and optimiser are thousands of kernels, which a GPU
    runs faster than a host can launch them. After a few usual updates one is recorded and from then
    on replayed on other batches, seeds and learning rates. Where recording fails, for instance
    because a guide of a user's own waits for the device, updates go on as usual, and ``report`` is
    told why.

    Parameters
    ----------
    task
        Gives the loss. Its batches are NamedTuples of tensors (or None) of one shape each, on the
        device of the module.
    module, config
        See :class:`inference.update.Update`.
    report
        Takes a line if recording fails.
    recorder
        How to record.
    """

    def __init__(
        self,
        task: Task[BatchT],
        module: nn.Module,
        config: TrainingConfig,
        *,
        report: Callable[[str], None],
        recorder: Recorder = cuda_graph,
    ) -> None:
        super().__init__(task, module, config, deferred=True)
        self._report = report
        self._recorder = recorder
        self._possible = True
        self._usual = 0
        self._inputs: BatchT | None = None
        self._replay: Callable[[], Callable[[], Metrics]] | None = None

    def step(self, batch: BatchT, update: int) -> Callable[[], Metrics]:
        """Replay the recorded update, or do an update as usual as long as there is none."""
        if self._replay is None and self._possible and update >= self.task.settled:
            if self._usual < _WARM_UP:
                self._usual += 1
                return self._step_beside(batch, update)
            self._record(batch, update)
        if self._replay is None:
            return super().step(batch, update)
        for held, given in zip(_tensors(self._inputs), _tensors(batch), strict=True):
            held.copy_(given, non_blocking=True)
        return self._replay()

    def _step_beside(self, batch: BatchT, update: int) -> Callable[[], Metrics]:
        """Do a usual update on a stream of its own, as a recording will."""
        if self.device.type != "cuda":
            return super().step(batch, update)
        current = torch.cuda.current_stream(self.device)
        beside = torch.cuda.Stream(self.device)
        beside.wait_stream(current)
        with torch.cuda.stream(beside):
            measure = super().step(batch, update)
        current.wait_stream(beside)
        return measure

    def _record(self, batch: BatchT, update: int) -> None:
        inputs = _copy(batch)

        def body() -> Callable[[], Metrics]:
            return super(CapturedUpdate, self).step(inputs, update)

        try:
            self._replay = self._recorder(body, self.generator)
            self._inputs = inputs
        # What CUDA raises for whatever a graph cannot hold; the recording has changed nothing.
        except RuntimeError as error:
            reason = str(error).strip().split("\n")[0]
            self._report(f"the update cannot be captured ({reason}); training goes on without")
            self._possible = False
            self.generator = torch.Generator(self.device).manual_seed(self.generator.initial_seed())


def _tensors(batch: Any) -> list[Tensor]:
    return [part for part in batch if part is not None]


def _copy(batch: BatchT) -> BatchT:
    parts = [None if part is None else part.clone() for part in cast(Any, batch)]
    return cast(BatchT, cast(Any, type(batch))(*parts))
