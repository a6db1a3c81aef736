"""From settings to objects: the data file, and the objective with its networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import torch
from torch import nn

from experiments.config import BALLS, LARGE, FrameExperiment
from inference import NEMObjective, RunDirectory, prepare
from inference.guides import RNEM, RNNEM, VRNN, GradientNEM, View
from models import BernoulliPixels, GaussianPixels, RecurrentPrior, SpatialMixture
from pyro_nem.data import (
    BallsConfig,
    DigitsConfig,
    HDF5Frames,
    ShapesConfig,
    SpritesConfig,
    balls_file,
    digits_file,
    shapes_file,
    sprites_file,
)
from pyro_nem.errors import ConfigError
from pyro_nem.networks import (
    ConvDecoder,
    ConvEncoder,
    DenseDecoder,
    FlatEncoder,
    LocatedDecoder,
    RelationalCell,
    SigmoidCell,
    TiedDecoder,
)

__all__ = ["build_objective", "check_same_frames", "data_file", "evaluation_file"]

# What a state of the guide vrnn holds, and what its recurrence carries.
_STATE, _CONTEXT = 32, 128


class _GuideOptions(TypedDict):
    views: tuple[View, ...]
    gradient_gamma: bool
    gradient_psi: bool


def data_file(
    settings: FrameExperiment, *, only: str | None = None, report: Callable[[str], None] = print
) -> Path:
    """Return the file of an experiment, generating its data into the cache the first time.

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
    sizes = {
        "training": settings.training_sequences,
        "validation": settings.validation_sequences,
        "test": settings.test_sequences,
    }
    if settings.experiment in ("flying_shapes", "static_shapes"):
        # The published files of shapes hold 50,000, 10,000 and 10,000 sequences.
        held_out = min(10_000, settings.training_sequences)
        sizes.update(validation=held_out, test=held_out)
    if only is not None:
        sizes = {split: settings.test_sequences if split == only else 1 for split in sizes}
    if settings.experiment in BALLS:
        balls = BallsConfig(
            objects=settings.objects,
            most_objects=settings.most_objects,
            curtain=settings.experiment == "bouncing_balls_curtain",
            frames=settings.frames,
            **sizes,
        )
        return balls_file(balls, report)
    if settings.experiment == "sprites":
        sprites = SpritesConfig(
            objects=settings.objects,
            most_objects=settings.most_objects,
            frames=settings.frames,
            **sizes,
        )
        return sprites_file(sprites, report)
    if settings.experiment == "flying_mnist":
        digits = DigitsConfig(
            objects=settings.objects,
            variations=None if settings.variant in (None, "full") else int(settings.variant),
            frames=settings.frames,
            **sizes,
        )
        return digits_file(digits, report)
    config = ShapesConfig(objects=settings.objects, frames=settings.frames, **sizes)
    return shapes_file(config, report)


def evaluation_file(settings: FrameExperiment, trained: FrameExperiment, split: str) -> Path:
    """Return the file to test a run on, under its own conditions or others.

    Data that the run was not trained on are generated for one split only.

    Parameters
    ----------
    settings
        The conditions of the test.
    trained
        Those of the run.
    split
        Which split is read.
    """
    names = ("objects", "most_objects", "variant", "frames", "data")
    if all(getattr(settings, name) == getattr(trained, name) for name in names):
        return data_file(trained)
    return data_file(settings, only=split)


def check_same_frames(source: HDF5Frames, directory: RunDirectory) -> None:
    """Check that frames to test a run on have the size of those that it was trained on.

    Raises
    ------
    ConfigError
        If they have not.
    """
    trained_on = tuple(directory.read_config().get("image_shape", source.image_shape))
    if source.image_shape != trained_on:
        raise ConfigError(
            f"{source.name}: frames are {source.image_shape} (rows, columns, channels), but the "
            f"run was trained on {trained_on}; test on frames of that size"
        )


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
        bound=settings.bound,
    ).to(settings.device)
    prepare(objective, settings.execution)
    return objective


def _model_and_guide(
    settings: FrameExperiment, image_shape: tuple[int, int, int]
) -> tuple[SpatialMixture, nn.Module]:
    pixels = GaussianPixels() if settings.pixels == "gaussian" else BernoulliPixels()
    if settings.guide == "n-em":
        model = SpatialMixture(TiedDecoder(image_shape), settings.components, pixels=pixels)
        return model, GradientNEM(model, gradient_gamma=settings.gradient_gamma)
    if settings.guide == "vrnn":
        prior = RecurrentPrior(_STATE, _CONTEXT)
        decoder = _decoder(settings, image_shape, _STATE + _CONTEXT)
    else:
        prior, decoder = None, _decoder(settings, image_shape, None)
    model = SpatialMixture(decoder, settings.components, pixels=pixels, prior=prior)
    return model, _recurrent_guide(settings, model)


def _recurrent_guide(settings: FrameExperiment, model: SpatialMixture) -> nn.Module:
    options = _GuideOptions(
        views=settings.views,
        gradient_gamma=settings.gradient_gamma,
        gradient_psi=settings.gradient_psi,
    )
    size = model.state_size
    encoder = _encoder(settings, model.image_shape)
    if settings.guide == "vrnn":
        return VRNN(model, encoder, **options)
    if settings.guide == "r-nem":
        relational = None
        if encoder is not None:
            relational = RelationalCell(encoder.num_features, size, attention=settings.attention)
        return RNEM(model, encoder, relational, attention=settings.attention, **options)
    cell = None
    if encoder is not None:
        # The static network of the paper has no layer norm.
        normalise = settings.experiment != "static_shapes"
        cell = SigmoidCell(encoder.num_features, size, normalise=normalise)
    return RNNEM(model, encoder, cell, **options)


def _encoder(
    settings: FrameExperiment, image_shape: tuple[int, int, int]
) -> FlatEncoder | ConvEncoder | None:
    """Return the paper's encoder; None for the small network's, which guides build themselves."""
    if settings.network == "located":
        return None
    if settings.experiment == "static_shapes":
        return FlatEncoder(image_shape)
    return ConvEncoder(image_shape, channels=_channels(settings))


def _decoder(
    settings: FrameExperiment, image_shape: tuple[int, int, int], state_size: int | None
) -> nn.Module:
    """Return the decoder for states of a size; None for the size that goes with the network.

    It ends in a sigmoid for Gaussian pixels too, whose means lie in [0, 1] as probabilities do, and
    are learned faster so. Only the paper's network for digits is linear there.
    """
    large = settings.experiment in LARGE
    if settings.network == "located":
        # The largest ball has a diameter of 16 pixels, a sprite of 18, a shape of 12, a digit 11.
        return LocatedDecoder(image_shape, state_size or 128, template=19 if large else 13)
    if settings.experiment == "static_shapes":
        return DenseDecoder(image_shape, state_size or 250)
    small = settings.experiment == "flying_shapes"
    return ConvDecoder(
        image_shape,
        state_size or (100 if small else 250),
        bernoulli=settings.experiment != "flying_mnist",
        channels=_channels(settings),
    )


def _channels(settings: FrameExperiment) -> tuple[int, ...]:
    if settings.experiment in LARGE:
        return (16, 32, 64)
    return (32, 64, 128) if settings.experiment == "flying_mnist" else (32, 64)
