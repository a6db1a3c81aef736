"""Layers that PyTorch does not have in the form that the original used (TensorFlow 1.2)."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "Encoder",
    "UpsampleConv",
    "channel_layer_norm",
    "dense",
    "feature_layer_norm",
    "flat_pixels",
    "glorot_",
    "image_of",
]

# TensorFlow-slim's layer_norm adds this to the variance.
_EPSILON = 1e-12


def glorot_(module: nn.Module) -> None:
    """Initialise a linear or convolutional module as TensorFlow does: Glorot uniform, bias 0.

    Use with ``nn.Module.apply``; other modules are left alone. It keeps the size of what goes
    through tanh layers, which PyTorch's own start reduces.
    """
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def channel_layer_norm(num_channels: int) -> nn.GroupNorm:
    """Return the layer norm of a convolution as in slim: joint over rows, columns and channels.

    Gain and bias are per channel, so it is a group norm with a single group.
    """
    return nn.GroupNorm(1, num_channels, eps=_EPSILON)


def feature_layer_norm(num_features: int) -> nn.LayerNorm:
    """Return the layer norm of a fully connected layer as in slim."""
    return nn.LayerNorm(num_features, eps=_EPSILON)


def dense(num_features: int, size: int, activation: nn.Module) -> nn.Sequential:
    """Return a fully connected layer as in slim: affine, layer norm, activation."""
    return nn.Sequential(nn.Linear(num_features, size), feature_layer_norm(size), activation)


def image_of(pixels: Tensor, image_shape: tuple[int, int, int]) -> Tensor:
    """Return flat pixels [N, D, C] as images [N, C, rows, columns]."""
    rows, columns, channels = image_shape
    images = pixels.reshape(-1, rows, columns, channels)  # [N, rows, columns, C]
    return images.movedim(-1, 1)  # [N, C, rows, columns]


def flat_pixels(images: Tensor) -> Tensor:
    """Return images [N, C, rows, columns] as flat pixels [N, D, C]."""
    return images.flatten(2).mT  # [N, D, C]


class Encoder(Protocol):
    """The contract of an encoder: an nn.Module from what a component sees to features."""

    image_shape: tuple[int, int, int]
    """(rows, columns, channels) of what it takes."""

    num_features: int
    """F, the size of what it gives."""

    def __call__(self, u: Tensor) -> Tensor:
        """Map [N, D, channels] to features [N, F]."""
        ...


class UpsampleConv(nn.Module):
    """Nearest-neighbour upsampling by 2, then a 4x4 convolution of stride 1.

    TensorFlow's SAME padding of an even kernel is lopsided: 1 pixel at the top and left, 2 at the
    bottom and right.

    Computed at the low resolution, where it is one 3x3 convolution: of four taps on an axis, an
    even output pixel sees rows (i-1, i, i, i+1) and an odd one (i, i, i+1, i+1), so their kernels
    are sums of taps. The four outputs of a pixel stand side by side as channels and are then
    shuffled into place. 36 multiplications instead of 64, a quarter of the pixels to read, and the
    parameters of the 4x4 convolution.
    """

    fold: Tensor

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=4)
        even = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
        odd = [[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]
        taps = torch.tensor([even, odd])  # [2, 3, 4]
        fold = torch.einsum("pak,qbl->klpqab", taps, taps)  # [4, 4, 2, 2, 3, 3]
        self.register_buffer("fold", fold.reshape(16, 36), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, C_in, rows, columns] to [N, C_out, 2 rows, 2 columns]."""
        after, before = self.conv.weight.shape[:2]
        folded = self.conv.weight.reshape(-1, 16) @ self.fold  # [C_out C_in, 36]
        kernel = folded.view(after, before, 4, 3, 3).transpose(1, 2)  # [C_out, 4, C_in, 3, 3]
        bias = None if self.conv.bias is None else self.conv.bias.repeat_interleave(4)  # [4 C_out]
        phases = F.conv2d(x, kernel.flatten(0, 1), bias, padding=1)  # [N, 4 C_out, rows, columns]
        return F.pixel_shuffle(phases, 2)
