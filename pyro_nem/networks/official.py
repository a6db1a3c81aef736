"""The networks of the released code, layer by layer (reference configuration of Greff et al. 2017).

Every layer is affine, then layer norm, then activation; the last layer of a decoder has no norm.
Parameter counts with the cell are pinned in tests/pyro_nem/test_networks.py: 455,534 for static
shapes and 3,403,389 for flying shapes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

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
        rows, columns, channels = image_shape
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
        rows, columns, channels = image_shape
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
        rows, columns, channels = image_shape
        self.weight = nn.Parameter(torch.empty(rows * columns * channels, state_size))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, theta: Tensor) -> Tensor:
        """Map states [N, H] to probabilities [N, D, C]."""
        psi = torch.sigmoid(theta @ self.weight.T)  # [N, D C]
        return psi.reshape(len(psi), -1, self.image_shape[2])  # [N, D, C]


def _quarter(image_shape: ImageShape) -> tuple[int, int]:
    rows, columns, _ = image_shape
    if rows % 4 or columns % 4:
        raise ConfigError(
            "image_shape: the convolutional network halves the image twice, so rows and columns "
            f"must be multiples of 4, got {rows}x{columns}; pad or crop the frames"
        )
    return rows // 4, columns // 4


class ConvEncoder(nn.Module):
    """Maps the masked residual to 512 features: two strided convolutions and a dense layer.

    Parameters
    ----------
    image_shape
        (rows, columns, C), rows and columns multiples of 4.

    Raises
    ------
    ConfigError
        If rows or columns are not multiples of 4.
    """

    def __init__(self, image_shape: ImageShape) -> None:
        super().__init__()
        self.image_shape = image_shape
        rows, columns = _quarter(image_shape)
        self.num_features = 512
        self.layers = nn.Sequential(
            nn.Conv2d(image_shape[2], 32, kernel_size=4, stride=2, padding=1),
            channel_layer_norm(32),
            nn.ELU(),
            nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1),
            channel_layer_norm(64),
            nn.ELU(),
            nn.Flatten(),
            nn.Linear(64 * rows * columns, self.num_features),
            feature_layer_norm(self.num_features),
            nn.ELU(),
        )
        self.apply(glorot_)

    def forward(self, u: Tensor) -> Tensor:
        """Map masked residuals [N, D, C] to features [N, 512]."""
        features: Tensor = self.layers(image_of(u, self.image_shape))
        return features


class ConvDecoder(nn.Module):
    """Parameterises psi = f(theta) by two dense layers and two upsampling convolutions.

    Parameters
    ----------
    image_shape
        (rows, columns, C), rows and columns multiples of 4.
    state_size
        H.
    bernoulli
        End in a sigmoid (probabilities) or linearly (means of a Gaussian).

    Raises
    ------
    ConfigError
        If rows or columns are not multiples of 4.
    """

    def __init__(
        self, image_shape: ImageShape, state_size: int = 100, *, bernoulli: bool = True
    ) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.state_size = state_size
        rows, columns = _quarter(image_shape)
        self.layers = nn.Sequential(
            nn.Linear(state_size, 512),
            feature_layer_norm(512),
            nn.ReLU(),
            nn.Linear(512, 64 * rows * columns),
            feature_layer_norm(64 * rows * columns),
            nn.ReLU(),
            nn.Unflatten(1, (64, rows, columns)),
            UpsampleConv(64, 32),
            channel_layer_norm(32),
            nn.ReLU(),
            UpsampleConv(32, image_shape[2]),
            nn.Sigmoid() if bernoulli else nn.Identity(),
        )
        self.apply(glorot_)

    def forward(self, theta: Tensor) -> Tensor:
        """Map states [N, H] to pixel parameters [N, D, C]."""
        return flat_pixels(self.layers(theta))  # [N, D, C]
