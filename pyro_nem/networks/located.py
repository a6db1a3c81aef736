"""A decoder that draws one thing at one place, and an encoder of the same small size.

One component cannot then explain two objects, which is how a mixture with a generic decoder
collapses early in training: psi is blurred, one component covers two objects and another starves.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pyro_nem.checks import whole_image_shape
from pyro_nem.errors import ConfigError
from pyro_nem.networks.layers import flat_pixels, image_of

__all__ = ["LocatedDecoder", "PatchEncoder"]

ImageShape = tuple[int, int, int]
_STRIDE = 4


class LocatedDecoder(nn.Module):
    """Parameterises psi = f(theta) as the expectation of one template at an uncertain place.

    theta gives a distribution r over rows, another c over columns, and a template s of
    ``template x template`` pixels; with both axes independent,

        psi[i, j] = sum_uv r[i + u] s[u, v] c[j + v],    u, v centred at 0,

    a correlation, as in any convolutional layer. So psi is a probability by construction (s is a
    sigmoid; a Gaussian pixel's s is linear). An object larger than the template cannot be drawn by
    one component.

    Parameters
    ----------
    image_shape
        (rows, columns, C).
    state_size
        H.
    template
        Side of the template in pixels, odd.
    hidden
        Width of the hidden layer.
    bernoulli
        Draw probabilities (sigmoid) or means (linear).

    Raises
    ------
    ConfigError
        If ``template`` is even or below 1, or ``image_shape`` is not three whole numbers.
    """

    def __init__(
        self,
        image_shape: ImageShape,
        state_size: int = 128,
        *,
        template: int = 13,
        hidden: int = 128,
        bernoulli: bool = True,
    ) -> None:
        super().__init__()
        if template < 1 or template % 2 == 0:
            raise ConfigError(
                f"template: expected an odd number of pixels, so that it has a centre, got "
                f"{template}"
            )
        self.image_shape = image_shape
        self.state_size = state_size
        self.template = template
        self.bernoulli = bernoulli
        rows, columns, channels = whole_image_shape(image_shape)
        self._sizes = (rows, columns, channels * template**2)
        self.hidden = nn.Sequential(nn.Linear(state_size, hidden), nn.LayerNorm(hidden), nn.ReLU())
        self.head = nn.Linear(hidden, sum(self._sizes))

    def forward(self, theta: Tensor) -> Tensor:
        """Map states [N, H] to pixel parameters [N, D, C]."""
        channels, side = self.image_shape[2], self.template
        # theta is half open at the start, where a symmetric input suits the linear layer.
        parts = self.head(self.hidden(2.0 * theta - 1.0)).split(self._sizes, dim=-1)
        rows = _shifts(parts[0].softmax(-1), side).unsqueeze(1)  # [N, 1, rows, side]
        columns = _shifts(parts[1].softmax(-1), side).unsqueeze(1)  # [N, 1, columns, side]
        drawn = parts[2].unflatten(-1, (channels, side, side))  # [N, C, side, side]
        if self.bernoulli:
            # Templates start dark: most of a frame is background.
            drawn = torch.sigmoid(drawn - 1.0)
        return flat_pixels(rows @ drawn @ columns.mT)  # [N, D, C]


def _shifts(place: Tensor, side: int) -> Tensor:
    """Return the probability that a template's pixel u covers each position, [N, L, side]."""
    shifted = F.pad(place, (side // 2, side // 2)).unfold(-1, side, 1)  # [N, L, side]
    # Batched matrix products of overlapping views are slow on a CPU.
    return shifted.contiguous()


class PatchEncoder(nn.Module):
    """Maps what a component sees to features, by one convolution of stride 4 and a dense layer.

    Parameters
    ----------
    image_shape
        (rows, columns, channels of the input), rows and columns multiples of 4.
    num_features
        F, the number of features.
    channels
        Channels of the convolution.

    Raises
    ------
    ConfigError
        If rows or columns are not multiples of 4.
    """

    def __init__(
        self, image_shape: ImageShape, num_features: int = 128, *, channels: int = 32
    ) -> None:
        super().__init__()
        rows, columns, in_channels = whole_image_shape(image_shape)
        if rows % _STRIDE or columns % _STRIDE:
            raise ConfigError(
                f"image_shape: the encoder works on patches of {_STRIDE}x{_STRIDE}, so rows and "
                f"columns must be multiples of {_STRIDE}, got {rows}x{columns}; pad or crop"
            )
        self.image_shape = image_shape
        self.num_features = num_features
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, channels, kernel_size=2 * _STRIDE, stride=_STRIDE, padding=2),
            nn.ELU(),
            nn.Flatten(),
            nn.Linear(channels * (rows // _STRIDE) * (columns // _STRIDE), num_features),
            nn.LayerNorm(num_features),
            nn.ELU(),
        )

    def forward(self, u: Tensor) -> Tensor:
        """Map what a component sees, [N, D, C], to features [N, F]."""
        features: Tensor = self.layers(image_of(u, self.image_shape))
        return features
