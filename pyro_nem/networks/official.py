"""The networks of the released code, layer by layer (reference configuration of Greff et al. 2017).

Every layer is affine, then layer norm, then activation; the last layer of a decoder has no norm.
Parameter counts with the cell are pinned in tests/pyro_nem/test_networks.py: 455,534 for static
shapes and 3,403,389 for flying shapes. The channels of the convolutions are an argument, because
R-NEM's networks (van Steenkiste et al. 2018) are these with a third one.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from pyro_nem.checks import whole_image_shape
from pyro_nem.errors import ConfigError
from pyro_nem.networks.layers import (
    UpsampleConv,
    channel_layer_norm,
    feature_layer_norm,
    flat_pixels,
    glorot_,
    image_of,
)

__all__ = ["ConvDecoder", "ConvEncoder", "DenseDecoder", "FlatEncoder", "TiedDecoder"]

ImageShape = tuple[int, int, int]


class FlatEncoder(nn.Module):
    """Passes the masked residual on as it is; the static network has no encoder."""

    def __init__(self, image_shape: ImageShape) -> None:
        super().__init__()
        rows, columns, channels = whole_image_shape(image_shape)
        self.image_shape = image_shape
        self.num_features = rows * columns * channels

    def forward(self, u: Tensor) -> Tensor:
        """Flatten [N, D, C] to [N, D C]."""
        return u.flatten(1)  # [N, D C]


class DenseDecoder(nn.Module):
    """Parameterises psi = sigmoid(W theta + b), the decoder of the static shapes.

    Parameters
    ----------
    image_shape
        (rows, columns, C).
    state_size
        H.
    """

    def __init__(self, image_shape: ImageShape, state_size: int = 250) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.state_size = state_size
        rows, columns, channels = whole_image_shape(image_shape)
        self.linear = nn.Linear(state_size, rows * columns * channels)
        self.apply(glorot_)

    def forward(self, theta: Tensor) -> Tensor:
        """Map states [N, H] to probabilities [N, D, C]."""
        psi = torch.sigmoid(self.linear(theta))  # [N, D C]
        return psi.reshape(len(psi), -1, self.image_shape[2])  # [N, D, C]


class TiedDecoder(nn.Module):
    """Parameterises psi = sigmoid(W theta) without a bias: the decoder of gradient N-EM.

    The guide differentiates through it, so encoder and decoder share ``weight``.

    Parameters
    ----------
    image_shape
        (rows, columns, C).
    state_size
        H.
    """

    def __init__(self, image_shape: ImageShape, state_size: int = 250) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.state_size = state_size
        rows, columns, channels = whole_image_shape(image_shape)
        self.weight = nn.Parameter(torch.empty(rows * columns * channels, state_size))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, theta: Tensor) -> Tensor:
        """Map states [N, H] to probabilities [N, D, C]."""
        psi = torch.sigmoid(theta @ self.weight.T)  # [N, D C]
        return psi.reshape(len(psi), -1, self.image_shape[2])  # [N, D, C]


def _coarse(image_shape: ImageShape, channels: tuple[int, ...]) -> tuple[int, int]:
    """Return the rows and columns that are left when each convolution halved them."""
    rows, columns, _ = whole_image_shape(image_shape)
    if not channels:
        raise ConfigError("channels: expected at least one convolution, got none")
    factor = 2 ** len(channels)
    if rows % factor or columns % factor:
        raise ConfigError(
            f"image_shape: the {len(channels)} convolutions each halve the image, so rows and "
            f"columns must be multiples of {factor}, got {rows}x{columns}; pad or crop the frames"
        )
    return rows // factor, columns // factor


class ConvEncoder(nn.Module):
    """Maps the masked residual to 512 features: strided convolutions and a dense layer.

    Parameters
    ----------
    image_shape
        (rows, columns, C), rows and columns multiples of 2 to the number of convolutions.
    channels
        Channels of the convolutions, first to last: (32, 64) for flying shapes (28x28),
        (16, 32, 64) in R-NEM (64x64).

    Raises
    ------
    ConfigError
        If rows or columns are not such multiples, or there is no convolution.
    """

    def __init__(self, image_shape: ImageShape, *, channels: tuple[int, ...] = (32, 64)) -> None:
        super().__init__()
        self.image_shape = image_shape
        rows, columns = _coarse(image_shape, channels)
        self.num_features = 512
        layers: list[nn.Module] = []
        for before, after in pairwise((image_shape[2], *channels)):
            layers += [
                nn.Conv2d(before, after, kernel_size=4, stride=2, padding=1),
                channel_layer_norm(after),
                nn.ELU(),
            ]
        self.layers = nn.Sequential(
            *layers,
            nn.Flatten(),
            nn.Linear(channels[-1] * rows * columns, self.num_features),
            feature_layer_norm(self.num_features),
            nn.ELU(),
        )
        self.apply(glorot_)

    def forward(self, u: Tensor) -> Tensor:
        """Map masked residuals [N, D, C] to features [N, 512]."""
        features: Tensor = self.layers(image_of(u, self.image_shape))
        return features


class ConvDecoder(nn.Module):
    """Parameterises psi = f(theta) by two dense layers and upsampling convolutions.

    Parameters
    ----------
    image_shape
        (rows, columns, C), rows and columns multiples of 2 to the number of convolutions.
    state_size
        H; 100 for flying shapes, 250 in R-NEM.
    bernoulli
        End in a sigmoid (probabilities) or linearly (means of a Gaussian).
    channels
        Those of the encoder, which the decoder passes in reverse: (32, 64) for flying shapes
        (28x28), (16, 32, 64) in R-NEM (64x64).

    Raises
    ------
    ConfigError
        If rows or columns are not such multiples, or there is no convolution.
    """

    def __init__(
        self,
        image_shape: ImageShape,
        state_size: int = 100,
        *,
        bernoulli: bool = True,
        channels: tuple[int, ...] = (32, 64),
    ) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.state_size = state_size
        rows, columns = _coarse(image_shape, channels)
        code = channels[-1] * rows * columns
        layers: list[nn.Module] = []
        for before, after in pairwise(reversed(channels)):
            layers += [UpsampleConv(before, after), channel_layer_norm(after), nn.ReLU()]
        self.layers = nn.Sequential(
            nn.Linear(state_size, 512),
            feature_layer_norm(512),
            nn.ReLU(),
            nn.Linear(512, code),
            feature_layer_norm(code),
            nn.ReLU(),
            nn.Unflatten(1, (channels[-1], rows, columns)),
            *layers,
            UpsampleConv(channels[0], image_shape[2]),
            nn.Sigmoid() if bernoulli else nn.Identity(),
        )
        self.apply(glorot_)

    def forward(self, theta: Tensor) -> Tensor:
        """Map states [N, H] to pixel parameters [N, D, C]."""
        return flat_pixels(self.layers(theta))  # [N, D, C]
