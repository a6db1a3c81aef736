"""The time of an epoch of the published protocol, validation included."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from experiments.frames.assembly import build_objective, data_file
from experiments.frames.config import NetworkName
from experiments.frames.defaults import defaults
from inference import Execution, fit_objective
from pyro_nem.data import HDF5Frames

__all__ = ["EpochRow", "measure_epoch"]


@dataclass(frozen=True)
class EpochRow:
    """One measurement: the second epoch of a training, since the first one compiles and records.

    ``peak_bytes`` is the most that PyTorch had allocated on a GPU during the training, frames,
    weights and all; None elsewhere.
    """

    benchmark: str
    network: str
    sequences: int
    validation_sequences: int
    batch_size: int
    seconds: float
    sequences_per_second: float
    peak_bytes: int | None


def measure_epoch(
    network: NetworkName, sequences: int, batch_size: int, device: str, execution: Execution
) -> EpochRow:
    """Train on flying shapes for two epochs and time the second one.

    Parameters
    ----------
    network
        Whose layers.
    sequences
        Training sequences, generated into the cache the first time; the paper has 50,000.
    batch_size
        B.
    device
        Where to run.
    execution
        How.
    """
    settings = defaults("flying_shapes", "paper", None, network)
    updates = sequences // batch_size
    training = replace(
        settings.training,
        updates=2 * updates,
        batch_size=batch_size,
        validate_every=updates,
        patience=None,
    )
    settings = replace(
        settings,
        training_sequences=sequences,
        validation_sequences=min(sequences, settings.validation_sequences),
        training=training,
        execution=execution,
        device=device,
    )
    path = data_file(settings)
    on_gpu = torch.device(device).type == "cuda"
    with (
        HDF5Frames(path, "training") as frames,
        HDF5Frames(path, "validation", settings.validation_sequences) as validation,
    ):
        objective = build_objective(settings, frames.image_shape)
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(device)
        run = fit_objective(
            objective,
            frames,
            validation,
            steps=settings.steps,
            noise=settings.noise,
            config=training,
            directory=None,
            description={},
            resume=False,
            execution=execution,
        )
        ends = [r["seconds"] for r in run.records if "validation.loss" in r]
        seconds = ends[1] - ends[0]
        return EpochRow(
            benchmark="epoch",
            network=network,
            sequences=frames.num_sequences,
            validation_sequences=validation.num_sequences,
            batch_size=batch_size,
            seconds=seconds,
            sequences_per_second=updates * batch_size / seconds,
            peak_bytes=torch.cuda.max_memory_allocated(device) if on_gpu else None,
        )
