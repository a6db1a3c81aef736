"""Images as the training loop wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Generator, Tensor, nn

from inference.images.evaluation import score_objective
from inference.images.objective import ImageObjective
from inference.processes import ALONE, Processes
from inference.task import Metrics
from inference.training_config import TrainingConfig
from pyro_nem.data import ImageSet, bit_batches

__all__ = ["ImageTask"]


@dataclass(frozen=True)
class ImageTask:
    """Images as the training loop wants them: batches, a loss, a validation."""

    training: ImageSet
    validation: ImageSet | None
    config: TrainingConfig
    processes: Processes = ALONE
    settled: int = 0
    """The loss is the same function of weights and batch from the first update on."""

    def batches(self, start: int) -> Iterator[Tensor]:
        """Yield the batches of updates ``start``, ``start + 1``, ...; epochs follow each other."""
        return bit_batches(
            self.training,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            start=start,
            share=self.processes.share,
        )

    def loss(
        self, module: nn.Module, batch: Tensor, generator: Generator, update: int
    ) -> tuple[Tensor, Callable[[], Metrics]]:
        """Return the loss of a batch, nats an image, and a function that measures its KL."""
        terms = module(batch.to(next(module.parameters())), generator)
        divergence = terms.divergence.detach()

        def measure() -> Metrics:
            return self.processes.mean({"kl": divergence.mean().item()})

        return terms.loss, measure

    def validate(self, module: nn.Module) -> Metrics:
        """Score the validation images by the bound that is trained; nothing without them."""
        if self.validation is None:
            return {}
        assert isinstance(module, ImageObjective)
        scores = score_objective(
            module, self.validation, seed=self.config.seed, processes=self.processes
        )
        found = scores.nats
        return {"loss": -found["bound"], "kl": found["kl"]}
