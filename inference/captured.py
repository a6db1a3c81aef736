"""Updates that are recorded as a CUDA graph once and then replayed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

import torch
from torch import Generator, Tensor, nn

from inference.task import BatchT, Metrics, Task
from inference.training_config import TrainingConfig
from inference.update import Update

__all__ = ["CapturedUpdate", "CudaGraphs", "Recorder"]

ResultT = TypeVar("ResultT")

# Updates before the recording, in which libraries choose their kernels and allocate for them.
_WARM_UP = 3


class Recorder(Protocol):
    """Records what a function makes a device do."""

    def beside(self, body: Callable[[], ResultT]) -> ResultT:
        """Call a function as usual, but on the stream on which it will be recorded."""
        ...

    def record(self, body: Callable[[], ResultT], generator: Generator) -> Callable[[], ResultT]:
        """Return a function that makes the device do it again, with the same memory.

        ``generator`` is the source of randomness of ``body``; each time it starts from the seed
        that it was given last.
        """
        ...


class CudaGraphs:
    """Records CUDA graphs on one stream of a device."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.stream = torch.cuda.Stream(device)

    def beside(self, body: Callable[[], ResultT]) -> ResultT:
        """Call a function on the stream; see :class:`Recorder`."""
        current = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            result = body()
        current.wait_stream(self.stream)
        return result

    def record(self, body: Callable[[], ResultT], generator: Generator) -> Callable[[], ResultT]:
        """Record a function; nothing is computed until it is replayed.

        What the function returns is returned by every replay: its tensors are overwritten.
        """
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(generator)
        # If the recording fails, PyTorch's context leaves its stream current; this one does not.
        with torch.cuda.stream(self.stream), torch.cuda.graph(graph, stream=self.stream):
            result = body()

        def replay() -> ResultT:
            with torch.cuda.device(self.device):
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
        Gives the loss. Its batches are NamedTuples of tensors (or None), each of one shape. What it
        returns to measure a batch must not hold on to the graph of the gradient.
    module, config
        See :class:`inference.update.Update`.
    report
        Takes a line if recording fails.
    recorder
        How to record; as CUDA graphs if not given.
    """

    def __init__(
        self,
        task: Task[BatchT],
        module: nn.Module,
        config: TrainingConfig,
        *,
        report: Callable[[str], None],
        recorder: Recorder | None = None,
    ) -> None:
        super().__init__(task, module, config, deferred=True)
        self._report = report
        self._recorder: Recorder = CudaGraphs(self.device) if recorder is None else recorder
        self._possible = True
        self._usual = 0
        self._inputs: BatchT | None = None
        self._replay: Callable[[], Callable[[], Metrics]] | None = None

    def step(self, batch: BatchT, update: int) -> Callable[[], Metrics]:
        """Replay the recorded update, or do an update as usual as long as there is none."""
        if self._replay is None and self._possible and update >= self.task.settled:
            if self._usual < _WARM_UP:
                self._usual += 1
                usual = super().step
                return self._recorder.beside(lambda: usual(batch, update))
            self._record(batch, update)
        if self._replay is None:
            return super().step(batch, update)
        for held, given in zip(_tensors(self._inputs), _tensors(batch), strict=True):
            held.copy_(given, non_blocking=True)
        return self._replay()

    def _record(self, batch: BatchT, update: int) -> None:
        parts = [
            None if part is None else part.to(self.device, copy=True) for part in cast(Any, batch)
        ]
        inputs = cast(BatchT, cast(Any, type(batch))(*parts))
        usual = super().step
        try:
            self._replay = self._recorder.record(lambda: usual(inputs, update), self.generator)
            self._inputs = inputs
        # What CUDA raises for whatever a graph cannot hold; the recording has changed nothing.
        except RuntimeError as error:
            # Ending a recording that has failed is an error too, which hides the first one.
            reason = str(error.__context__ or error).strip().split("\n")[0]
            self._report(f"the update cannot be captured ({reason}); training goes on without")
            self._possible = False
            self.generator = torch.Generator(self.device).manual_seed(self.generator.initial_seed())


def _tensors(batch: Any) -> list[Tensor]:
    return [part for part in batch if part is not None]
