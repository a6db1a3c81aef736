"""Sequences as the training loop wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from torch import Generator, Tensor, nn

from inference.processes import ALONE, Processes
from inference.sequences.evaluation import score_objective
from inference.sequences.objective import SequenceObjective
from inference.task import Metrics
from inference.training_config import TrainingConfig
from pyro_nem.data import SequenceBatch, SequenceSchedule, SequenceSet, shuffled_batches

__all__ = ["SequenceTask"]


@dataclass(frozen=True)
class SequenceTask:
    """Sequences as the training loop wants them: batches, a loss, a validation."""

    training: SequenceSet
    validation: SequenceSet | None
    config: TrainingConfig
    processes: Processes = ALONE
    settled: int = 0
    """The update from which on the weight of the KL stays as it is."""
    schedule: SequenceSchedule = field(default_factory=SequenceSchedule)
    """A replay buffer or a curriculum."""

    def batches(self, start: int) -> Iterator[SequenceBatch]:
        """Yield the batches of updates ``start``, ``start + 1``, ...; epochs follow each other."""
        return shuffled_batches(
            self.training,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            start=start,
            share=self.processes.share,
            schedule=self.schedule,
        )

    def loss(
        self, module: nn.Module, batch: SequenceBatch, generator: Generator, update: int
    ) -> tuple[Tensor, Callable[[], Metrics]]:
        """Return the loss of a batch, nats a step, and a function that measures its KL."""
        batch = batch.to(next(module.parameters()))
        terms = module(batch, generator, update)
        divergence = None if terms.divergence is None else terms.divergence.detach()

        def measure() -> Metrics:
            if divergence is None:
                return {}
            total = divergence.reshape(-1, *batch.mask.shape).mean(0).sum()
            return self.processes.mean({"kl": (total / batch.steps).item()})

        return terms.loss, measure

    def validate(self, module: nn.Module) -> Metrics:
        """Score the validation sequences by the bound that is trained; nothing without them."""
        if self.validation is None:
            return {}
        assert isinstance(module, SequenceObjective)
        scores = score_objective(
            module, self.validation, seed=self.config.seed, processes=self.processes
        )
        found = {"loss": scores.nats_per_step["bound"]}
        if "kl" in scores.nats_per_step:
            found["kl"] = scores.nats_per_step["kl"]
        return found
