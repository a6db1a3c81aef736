"""Frames as the training loop wants them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from inference.evaluation import evaluate
from inference.frame_scores import segmentation_scores_of
from inference.objective import NEMObjective
from inference.processes import ALONE, Processes
from inference.task import Metrics
from inference.training_config import TrainingConfig
from pyro_nem.data import (
    FrameBatch,
    FrameSource,
    Noise,
    ResidentFrames,
    epoch_batches,
    epoch_order,
    make_clip,
    num_batches,
)

__all__ = ["FrameTask"]


@dataclass(frozen=True)
class FrameTask:
    """Frames as the training loop wants them: batches, a loss, a validation.

    Several processes each have their share of every batch, and of the batches of a validation.
    """

    training: FrameSource
    validation: FrameSource | None
    steps: int
    noise: Noise
    config: TrainingConfig
    processes: Processes = ALONE
    settled: int = 0
    """The update from which on the weight of the KL stays as it is."""
    resident: ResidentFrames | None = None
    """The training frames, if they are held on the device."""

    def batches(self, start: int) -> Iterator[FrameBatch]:
        """Yield the batches of updates ``start``, ``start + 1``, ...; epochs follow each other."""
        per_epoch = num_batches(self.training, self.config.batch_size)
        epoch, skip = divmod(start, per_epoch)
        while True:
            if self.resident is None:
                yield from epoch_batches(
                    self.training,
                    frames=self.steps + 1,
                    batch_size=self.config.batch_size,
                    seed=self.config.seed,
                    epoch=epoch,
                    skip=skip,
                    share=self.processes.share,
                )
            else:
                yield from self._gathered(self.resident, epoch, skip)
            epoch, skip = epoch + 1, 0

    def _gathered(self, resident: ResidentFrames, epoch: int, skip: int) -> Iterator[FrameBatch]:
        order = epoch_order(
            resident.num_sequences,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            epoch=epoch,
        )  # [batches, B]
        share = self.processes.share
        size = share.size(self.config.batch_size)
        own = order[skip:, share.index * size : (share.index + 1) * size].to(resident.device)
        for sequences in own:
            yield resident.batch(sequences)

    def loss(
        self, module: nn.Module, batch: FrameBatch, generator: Generator, update: int
    ) -> tuple[Tensor, Callable[[], Metrics]]:
        """Return the loss of a batch with fresh noise, and a function that scores the batch."""
        frames = batch.frames.to(next(module.parameters()))
        clip = make_clip(frames, self.noise, generator)
        terms = module(clip, generator, update)
        # What is measured later must not keep the graph of the gradient, whose nodes belong to the
        # stream of this update.
        rollout = terms.rollout.detach()
        divergence = None if terms.divergence is None else terms.divergence.detach()

        def measure() -> Metrics:
            found: Metrics = {}
            if divergence is not None:
                found["kl"] = divergence.sum(-1).mean().item()
            if batch.groups is not None:
                groups = batch.groups[1:].flatten(2).to(rollout.psi.device)  # [T, B, D]
                scores = segmentation_scores_of(rollout, groups, ("ari",))
                found["ari"] = _mean_of_scored(scores["ari"])
                found["ari_last"] = _mean_of_scored(scores["ari"][-1])
                effective = _mean_of_scored(scores["effective_components"])
                found["effective_components"] = effective
            return self.processes.mean(found)

        return terms.loss, measure

    def validate(self, module: nn.Module) -> Metrics:
        """Score the validation frames, with the same noise each time; nothing without them."""
        if self.validation is None:
            return {}
        assert isinstance(module, NEMObjective)
        return evaluate(
            module,
            self.validation,
            steps=self.steps,
            noise=self.noise,
            seed=self.config.seed,
            processes=self.processes,
        ).metrics


def _mean_of_scored(values: NDArray[np.float64]) -> float:
    # NaN where no frame of the batch has a scored pixel, as data without labels have.
    scored = values[~np.isnan(values)]
    return float(scored.mean()) if scored.size else math.nan
