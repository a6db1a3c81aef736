"""The figures of a run: overview and animation of a few sequences, and the learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyro
import torch
from numpy.typing import NDArray

from experiments.frames.config import FrameExperiment
from inference import NEMObjective
from models import Rollout
from pyro_nem.data import Clip, FrameBatch, FrameSource, make_clip, read_batch
from pyro_nem.plots import (
    SegmentationSample,
    learning_curves,
    overview_figure,
    save_figure,
    segmentation_gif,
)

__all__ = ["clip_samples", "draw_pictures", "draw_segmentations", "segmentation_samples"]

_SAMPLES = 3
_SEED = 0


def draw_pictures(
    objective: NEMObjective,
    settings: FrameExperiment,
    sources: Mapping[str, FrameSource],
    records: Sequence[Mapping[str, float]],
    folder: Path,
) -> None:
    """Write the figures of a run into a folder.

    Parameters
    ----------
    objective
        The trained model and guide.
    settings
        Steps and noise.
    sources
        Split -> frames; the first sequences of each are drawn.
    records
        The lines of progress for the learning curves; none leaves them out.
    folder
        Where the files go; it has to exist.
    """
    for split, source in sources.items():
        draw_segmentations(objective, settings, source, split, folder, split)
    if records:
        save_figure(learning_curves(records), folder / "learning_curves.png")


def draw_segmentations(
    objective: NEMObjective,
    settings: FrameExperiment,
    source: FrameSource,
    split: str,
    folder: Path,
    name: str,
) -> None:
    """Write overviews and the animation of the first sequences of a source into a folder.

    Parameters
    ----------
    objective, settings, folder
        See :func:`draw_pictures`.
    source
        The frames.
    split
        What part of the data they are, for titles.
    name
        What tells the files from others.
    """
    if source.image_shape[2] not in (1, 3):
        print(f"no pictures of {source.name}: only frames of 1 or 3 channels can be drawn")
        return
    title = f"{settings.experiment}, {split}"
    samples = segmentation_samples(objective, settings, source, title)
    for index, sample in enumerate(samples):
        save_figure(overview_figure(sample), folder / f"overview_{name}_{index}.png")
    segmentation_gif(samples, folder / f"segmentation_{name}.gif")


def segmentation_samples(
    objective: NEMObjective, settings: FrameExperiment, source: FrameSource, title: str
) -> list[SegmentationSample]:
    """Run the guide over the first sequences of a source and return what to draw.

    For ``title`` see :func:`clip_samples`.
    """
    device = next(objective.parameters()).device
    # A smoke run only has to show that pictures can be drawn.
    wanted = 1 if settings.scale == "smoke" else _SAMPLES
    count = min(wanted, source.num_sequences)
    batch = read_batch(source, 0, count, settings.steps + 1)
    generator = torch.Generator(device).manual_seed(_SEED)
    clip = make_clip(batch.frames.to(device), settings.noise, generator)
    with torch.no_grad(), pyro.validation_enabled(False):
        rollout = objective.guide.rollout(clip, generator)
    return clip_samples(clip, rollout, batch, title)


def clip_samples(
    clip: Clip,
    rollout: Rollout,
    batch: FrameBatch,
    title: str,
    *,
    imagined: Rollout | None = None,
) -> list[SegmentationSample]:
    """Return what to draw of each sequence of a clip.

    Parameters
    ----------
    clip
        Frames of all steps.
    rollout
        What a guide made of them, or of the first of them.
    batch
        The frames as they were read, [T + 1, B, rows, columns, C].
    title
        What each picture says, before the number of the sequence and K.
    imagined
        The steps after those of ``rollout``. There the input is what the step before predicted.
    """
    rows, columns = batch.frames.shape[2:4]
    inputs, psi, gamma = clip.inputs, rollout.psi, rollout.gamma
    if imagined is not None:
        seen = len(psi)
        psi, gamma = torch.cat([psi, imagined.psi]), torch.cat([gamma, imagined.gamma])
        predicted = (gamma.unsqueeze(-1) * psi).sum(2)[seen - 1 : -1]  # [N, B, D, C]
        inputs = torch.cat([inputs[:seen], predicted])  # [T + N, B, D, C]

    def images(pixels: torch.Tensor) -> NDArray[np.float32]:
        array: NDArray[np.float32] = pixels.unflatten(-2, (rows, columns)).cpu().numpy()
        return array  # [..., rows, columns, C]

    def maps(responsibilities: torch.Tensor) -> NDArray[np.float32]:
        return images(responsibilities.unsqueeze(-1))[..., 0]  # [..., rows, columns]

    return [
        SegmentationSample(
            inputs=images(inputs[:, b]),
            targets=images(clip.targets[:, b]),
            psi=images(psi[:, b]),
            gamma=maps(gamma[:, b]),
            gamma_init=maps(rollout.initial_gamma[b]),
            groups=_groups(batch, b),
            title=f"{title} sequence {b} (K = {gamma.shape[2]})",
        )
        for b in range(batch.frames.shape[1])
    ]


def _groups(batch: FrameBatch, index: int) -> NDArray[np.uint8] | None:
    # If no object is known, a row of them would be black.
    if batch.groups is None or not batch.groups.any():
        return None
    array: NDArray[np.uint8] = batch.groups[1:, index].numpy()
    return array
