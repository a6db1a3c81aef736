"""How well the next frame is predicted by the last one, without a model."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.frames.assembly import data_file
from experiments.frames.config import FrameExperiment
from pyro_nem.data import FrameSource, HDF5Frames, ordered_batches
from pyro_nem.metrics import next_step_bce

__all__ = ["COPY", "FITTED", "copying_scores"]

COPY, FITTED = "copy of the last frame", "copy, fitted"
"""The two predictors."""

_AT_ONCE = 64
_FITTED_ON = 1_000


def copying_scores(settings: FrameExperiment) -> dict[str, dict[str, Any]]:
    """Return the next-step BCE of two predictors that know the clean last frame only.

    ``COPY`` predicts it as it is; a wrong pixel of binary frames costs 13.8 nats, as probabilities
    are clipped at 1e-6 as those of models are. ``FITTED`` predicts a + b x by least squares on
    1,000 training sequences: of binary frames, how often a pixel stays on, or goes on.

    Parameters
    ----------
    settings
        Of a run, whose test sequences and steps are used. Videos only.

    Returns
    -------
    dict
        By predictor, what :func:`experiments.tables.result_rows.to_rows` takes:
        "test.next_step_bce" in nats a frame and "per_step".
    """
    began = time.perf_counter()
    path = data_file(settings)
    frames = settings.steps + 1
    with HDF5Frames(path, "training", _FITTED_ON) as training:
        fitted = _fit(training, frames)
    predictors = {COPY: (0.0, 1.0), FITTED: fitted}
    with HDF5Frames(path, "test", settings.test_sequences) as test:
        by_step = {name: _bce(test, frames, *line) for name, line in predictors.items()}
    seconds = round(time.perf_counter() - began, 1)
    return {
        name: {
            "test.next_step_bce": float(values.mean()),
            "per_step": {"next_step_bce": values.tolist()},
            "wall_seconds": seconds,
        }
        for name, values in by_step.items()
    }


def _fit(source: FrameSource, frames: int) -> tuple[float, float]:
    """Return a and b of the least squares fit of x_{t+1} by a + b x_t."""
    # Count, sums and sums of products of the last frame x and the next one y.
    moments = torch.zeros(5, dtype=torch.float64)
    for batch in ordered_batches(source, frames=frames, batch_size=_AT_ONCE):
        x, y = batch.frames[:-1].double(), batch.frames[1:].double()
        moments += torch.stack(
            [x.new_tensor(x.numel()), x.sum(), y.sum(), (x * x).sum(), (x * y).sum()]
        )
    mean_x, mean_y, square, product = (moments[1:] / moments[0]).tolist()
    slope = (product - mean_x * mean_y) / (square - mean_x**2)
    return mean_y - slope * mean_x, slope


def _bce(source: FrameSource, frames: int, offset: float, slope: float) -> NDArray[np.float64]:
    """Return the next-step BCE of each step, [T], a mean over sequences."""
    total = torch.zeros(frames - 1, dtype=torch.float64)
    for batch in ordered_batches(source, frames=frames, batch_size=_AT_ONCE):
        pixels: Tensor = batch.frames.flatten(2, 3)  # [T + 1, B, D, C]
        predicted = (offset + slope * pixels[:-1]).unsqueeze(2)  # [T, B, 1, D, C]
        total += next_step_bce(predicted, pixels[1:]).sum(1)
    return (total / source.num_sequences).numpy()
