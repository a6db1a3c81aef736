"""An encoder that sees the whole frame coarsely and the place of its own object sharply."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pyro_nem.errors import ConfigError
from pyro_nem.networks.layers import image_of
from pyro_nem.networks.located import PatchEncoder

__all__ = ["FovealEncoder"]

# So little of psi is spread over the frame: without any psi the fovea is at the frame's centre.
_UNIFORM = 1e-3


class FovealEncoder(nn.Module):
    """Maps what a component sees to features: the whole frame coarsely, and a fovea around its psi.

    What an object looks like is the same wherever it is, and a dense layer over the frame has to
    learn it anew for each place. The fovea is a window that goes with the component: its centre is
    the centre of mass of psi, whose two coordinates in [-1, 1] are features as well. Between pixels
    it is interpolated linearly; beyond the border there is 0. No gradient flows through its place.

    Parameters
    ----------
    image_shape
        (rows, columns, channels of the input), rows and columns multiples of 4. The last
        ``psi_channels`` of the channels hold psi.
    width
        Features of the whole frame, and of the fovea; F = 2 width + 2.
    psi_channels
        Channels of psi, C.
    side
        Side of the fovea in pixels, odd; best a little more than that of an object.

    Raises
    ------
    ConfigError
        If ``side`` is even or below 1, the input has no more channels than psi, or rows or columns
        are not multiples of 4.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        width: int = 128,
        *,
        psi_channels: int = 1,
        side: int = 15,
    ) -> None:
        super().__init__()
        if side < 1 or side % 2 == 0:
            raise ConfigError(
                "side: expected an odd number of pixels, so that the fovea has a centre, got "
                f"{side}"
            )
        if not 0 < psi_channels < image_shape[2]:
            raise ConfigError(
                f"psi_channels: the last channels of the input have to be psi, and others before "
                f"them what is looked at; got {psi_channels} of {image_shape[2]} channels"
            )
        self.image_shape = image_shape
        self.num_features = 2 * width + 2
        self.psi_channels = psi_channels
        self.side = side
        self.whole = PatchEncoder(image_shape, width)
        self.fovea = nn.Sequential(
            nn.Flatten(),
            nn.Linear(image_shape[2] * side**2, width),
            nn.LayerNorm(width),
            nn.ELU(),
            nn.Linear(width, width),
            nn.LayerNorm(width),
            nn.ELU(),
        )

    def forward(self, u: Tensor) -> Tensor:
        """Map what a component sees, [N, D, channels], to features [N, F]."""
        image = image_of(u, self.image_shape)  # [N, channels, rows, columns]
        mass = image[:, -self.psi_channels :].detach().abs().sum(1)  # [N, rows, columns]
        row, rows = self._window(mass.sum(2))  # [N], [N, side, rows]
        column, columns = self._window(mass.sum(1))  # [N], [N, side, columns]
        near = rows.unsqueeze(1) @ image @ columns.mT.unsqueeze(1)  # [N, channels, side, side]
        place = torch.stack([row, column], -1).to(u)  # [N, 2]
        return torch.cat([self.whole(u), self.fovea(near), place], -1)

    def _window(self, profile: Tensor) -> tuple[Tensor, Tensor]:
        """Return the centre in [-1, 1] and the weights of the window on one axis.

        A profile [N, L] gives a centre [N] and weights [N, side, L].
        """
        length = profile.shape[-1]
        pixels = torch.arange(length, dtype=profile.dtype, device=profile.device)  # [L]
        share = F.normalize(profile + _UNIFORM, p=1.0, dim=-1)  # [N, L]
        centre = (share * pixels).sum(-1)  # [N]
        offsets = torch.arange(self.side, dtype=profile.dtype, device=profile.device)  # [side]
        wanted = centre.unsqueeze(-1) + offsets - self.side // 2  # [N, side]
        weights = (1.0 - (wanted.unsqueeze(-1) - pixels).abs()).relu()  # [N, side, L]
        half = max(length - 1, 1) / 2.0
        return centre / half - 1.0, weights
