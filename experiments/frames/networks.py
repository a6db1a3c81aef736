"""From settings to model and guide: which networks they have."""

from __future__ import annotations

from typing import TypedDict, cast

from torch import nn

from experiments.frames.config import LARGE, FrameExperiment
from inference.guides import (
    RNEM,
    RNNEM,
    VRNN,
    GradientNEM,
    View,
    count_channels,
    small_encoder,
)
from models import BernoulliPixels, GaussianPixels, RecurrentPrior, SpatialMixture
from pyro_nem.networks import (
    ConvDecoder,
    ConvEncoder,
    DenseDecoder,
    Encoder,
    FlatEncoder,
    LocatedDecoder,
    RelationalCell,
    SigmoidCell,
    TiedDecoder,
)

__all__ = ["model_and_guide"]

# What a state of the guide vrnn holds, and what its recurrence carries.
_STATE, _CONTEXT = 32, 128


class _GuideOptions(TypedDict):
    views: tuple[View, ...]
    gradient_gamma: bool
    gradient_psi: bool


def model_and_guide(
    settings: FrameExperiment, image_shape: tuple[int, int, int]
) -> tuple[SpatialMixture, nn.Module]:
    """Build the model of an experiment and its guide, with new weights.

    Parameters
    ----------
    settings
        The experiment.
    image_shape
        (rows, columns, C) of the frames.

    Raises
    ------
    ConfigError
        If the views are wrong, or the small network cannot take frames of this size.
    """
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
    encoder = _encoder(settings, model)
    num_features = cast(Encoder, encoder).num_features
    if settings.guide == "vrnn":
        return VRNN(model, encoder, **options)
    if settings.guide == "r-nem":
        relational = None
        if settings.network == "official":
            relational = RelationalCell(num_features, size, attention=settings.attention)
        return RNEM(model, encoder, relational, attention=settings.attention, **options)
    cell = None
    if settings.network == "official":
        # The static network of the paper has no layer norm.
        normalise = settings.experiment != "static_shapes"
        cell = SigmoidCell(num_features, size, normalise=normalise)
    return RNNEM(model, encoder, cell, **options)


def _encoder(settings: FrameExperiment, model: SpatialMixture) -> nn.Module:
    if settings.network == "located":
        return small_encoder(model, settings.views, _width(settings))
    shape = (*model.image_shape[:2], count_channels(settings.views, model.num_channels))
    if settings.experiment == "static_shapes":
        return FlatEncoder(shape)
    return ConvEncoder(shape, channels=_channels(settings))


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
        return LocatedDecoder(
            image_shape,
            state_size or _width(settings),
            template=19 if large else 13,
            hidden=_width(settings),
        )
    if settings.experiment == "static_shapes":
        return DenseDecoder(image_shape, state_size or 250)
    small = settings.experiment == "flying_shapes"
    return ConvDecoder(
        image_shape,
        state_size or (100 if small else 250),
        bernoulli=settings.experiment != "flying_mnist",
        channels=_channels(settings),
    )


def _width(settings: FrameExperiment) -> int:
    """Return the size of states and layers of the small network; digits differ in more ways."""
    return 256 if settings.experiment == "flying_mnist" else 128


def _channels(settings: FrameExperiment) -> tuple[int, ...]:
    if settings.experiment in LARGE:
        return (16, 32, 64)
    return (32, 64, 128) if settings.experiment == "flying_mnist" else (32, 64)
