"""What a component sees of a frame before its M-step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models import SpatialMixture
from pyro_nem.errors import ConfigError
from pyro_nem.networks import Encoder, FovealEncoder, LocatedDecoder, PatchEncoder

__all__ = [
    "LOCATED_VIEWS",
    "View",
    "count_channels",
    "default_encoder",
    "look",
    "small_encoder",
]

View = Literal["masked-residual", "normalised-residual", "gamma", "psi", "frame", "unexplained"]
"""One input of a component, each of C channels but gamma, which has one:

- masked-residual: gamma_k (x - psi_k), the only input of the original;
- normalised-residual: the same with zero mean and unit variance over the component's pixels (as
  the original does for flying MNIST), so that a component with small gamma still sees a signal;
- gamma: gamma_k;
- psi: psi_k;
- frame: the noisy frame x;
- unexplained: x - max_j psi_j, what no component explains yet.
"""

LOCATED_VIEWS: tuple[View, ...] = ("normalised-residual", "frame", "gamma", "psi")
"""What the small network sees. With the frame, the residual has to be the normalised one: beside
the raw one the components stay symmetric. psi, the last one, tells the encoder where to look."""

# The side of a fovea where the decoder does not say how large an object can be.
_FOVEA = 15

# Added to the variance: a component without responsibilities has an input of exactly zero.
_EPSILON = 1e-6


def count_channels(views: Sequence[View], channels: int) -> int:
    """Return the channels of a component's input, for frames of C channels.

    Raises
    ------
    ConfigError
        If there is no view, an unknown one, or one twice.
    """
    known = get_args(View)
    if not views or len(set(views)) != len(views) or not set(views) <= set(known):
        raise ConfigError(
            f"views: expected one or more of {', '.join(known)}, each once, got {list(views)}"
        )
    return sum(1 if view == "gamma" else channels for view in views)


def default_encoder(
    encoder: nn.Module | None, views: Sequence[View], model: SpatialMixture
) -> nn.Module:
    """Return the encoder, checked against the views, or the small network's if there is none.

    Raises
    ------
    ConfigError
        If the encoder takes images of another size, or with other channels than the views give.
    """
    shape = (*model.image_shape[:2], count_channels(views, model.num_channels))
    if encoder is None:
        return small_encoder(model, views)
    taken = tuple(cast(Encoder, encoder).image_shape)
    if taken != shape:
        raise ConfigError(
            f"encoder: the views {list(views)} of the model's frames have the shape {shape}, but "
            f"it takes {taken}; build it with image_shape={shape}, or choose other views"
        )
    return encoder


def small_encoder(model: SpatialMixture, views: Sequence[View], width: int = 128) -> nn.Module:
    """Return the small network's encoder for what the components of a model see.

    A :class:`FovealEncoder` where psi is the last of several views, and else a
    :class:`PatchEncoder`.

    Parameters
    ----------
    model
        The mixture.
    views
        What a component sees.
    width
        Features of each part of the encoder.

    Raises
    ------
    ConfigError
        If the views are wrong, or the frames have sides that are not multiples of 4.
    """
    shape = (*model.image_shape[:2], count_channels(views, model.num_channels))
    if len(views) == 1 or views[-1] != "psi":
        return PatchEncoder(shape, width)
    side = _FOVEA
    if isinstance(model.decoder, LocatedDecoder):
        # An object may be off the centre of psi by its motion.
        side = model.decoder.template + 2
    return FovealEncoder(shape, width, psi_channels=model.num_channels, side=side)


def look(views: Sequence[View], x: Tensor, psi: Tensor, gamma: Tensor) -> Tensor:
    """Return the inputs of all components, the views side by side as channels.

    Parameters
    ----------
    views
        Which inputs, in the order of the channels.
    x
        A noisy frame, [B, D, C].
    psi, gamma
        Pixel parameters [B, K, D, C] and responsibilities [B, K, D] of the step before.

    Returns
    -------
    Tensor
        [B, K, D, channels].
    """
    return torch.cat([_view(view, x.unsqueeze(1), psi, gamma.unsqueeze(-1)) for view in views], -1)


def _view(view: View, x: Tensor, psi: Tensor, gamma: Tensor) -> Tensor:
    # x [B, 1, D, C], psi [B, K, D, C], gamma [B, K, D, 1]
    if view == "masked-residual":
        return gamma * (x - psi)
    if view == "normalised-residual":
        masked = gamma * (x - psi)  # [B, K, D, C]
        return F.layer_norm(masked, masked.shape[-2:], eps=_EPSILON)
    if view == "gamma":
        return gamma
    if view == "psi":
        return psi
    if view == "frame":
        return x.expand_as(psi)  # [B, K, D, C]
    return (x - psi.amax(1, keepdim=True)).expand_as(psi)  # [B, K, D, C]
