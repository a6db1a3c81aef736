"""From settings to objects: the data file, and the objective with its networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from experiments.config import FrameExperiment
from inference import NEMObjective
from inference.guides import RNNEM, GradientNEM
from models import SpatialMixture
from pyro_nem.data import ShapesConfig, shapes_file
from pyro_nem.networks import (
    Cell,
    ConvDecoder,
    ConvEncoder,
    DenseDecoder,
    FlatEncoder,
    LocatedDecoder,
    SigmoidCell,
    TiedDecoder,
)

__all__ = ["build_objective", "data_file"]


def data_file(
    settings: FrameExperiment, *, only: str | None = None, report: Callable[[str], None] = print
) -> Path:
    """Return the file of an experiment, generating its shapes into the cache the first time.

    Parameters
    ----------
    settings
        The experiment.
    only
        Generate just the ``settings.test_sequences`` first sequences of this split (they are the
        same as in the whole file), for a test on data that nothing is trained on.
    report
        Takes a line when a file is generated.
    """
    if settings.data is not None:
        return Path(settings.data)
    # The published files hold 50,000, 10,000 and 10,000 sequences.
    held_out = min(10_000, settings.training_sequences)
    sizes = {"training": settings.training_sequences, "validation": held_out, "test": held_out}
    if only is not None:
        sizes = {split: settings.test_sequences if split == only else 1 for split in sizes}
    config = ShapesConfig(objects=settings.objects, frames=settings.frames, **sizes)
    return shapes_file(config, report)


def build_objective(settings: FrameExperiment, image_shape: tuple[int, int, int]) -> NEMObjective:
    """Build model, guide and loss with weights drawn from the settings' seed.

    Parameters
    ----------
    settings
        The experiment.
    image_shape
        (rows, columns, C) of the frames.
    """
    # Modules draw their initial weights from PyTorch's global generator.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.training.seed)
        model, guide = _model_and_guide(settings, image_shape)
    objective = NEMObjective(
        model,
        guide,
        inter_weight=settings.inter_weight,
        step_weights=settings.step_weights,
    )
    return objective.to(settings.device)


def _model_and_guide(
    settings: FrameExperiment, image_shape: tuple[int, int, int]
) -> tuple[SpatialMixture, RNNEM | GradientNEM]:
    if settings.guide == "n-em":
        model = SpatialMixture(TiedDecoder(image_shape), settings.components)
        return model, GradientNEM(model, gradient_gamma=settings.gradient_gamma)
    encoder: FlatEncoder | ConvEncoder | None
    cell: Cell | None
    if settings.network == "located":
        model = SpatialMixture(LocatedDecoder(image_shape), settings.components)
        encoder, cell = None, None
    elif settings.experiment == "static_shapes":
        model = SpatialMixture(DenseDecoder(image_shape), settings.components)
        encoder = FlatEncoder(image_shape)
        cell = SigmoidCell(encoder.num_features, model.state_size)
    else:
        model = SpatialMixture(ConvDecoder(image_shape), settings.components)
        encoder = ConvEncoder(image_shape)
        cell = SigmoidCell(encoder.num_features, model.state_size, normalise=True)
    guide = RNNEM(
        model,
        encoder,
        cell,
        views=settings.views,
        gradient_gamma=settings.gradient_gamma,
        gradient_psi=settings.gradient_psi,
    )
    return model, guide
