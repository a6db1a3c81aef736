"""From the parameters of all components to those of the one that explains a pixel."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["select_component"]


def select_component(psi: Tensor, z: Tensor) -> Tensor:
    """Return the parameters of the component that each pixel is assigned to.

    An enumerated z holds 0..K-1 on a dimension left of all plates: there the K axis of psi moves
    to that dimension, which costs nothing. A sampled z gathers.

    Parameters
    ----------
    psi
        Pixel parameters, [(S,) T, B, K, D, C].
    z
        Assignments: [K, (1,) 1, 1, 1] when enumerated, [(S,) T, B, D] when sampled.

    Returns
    -------
    Tensor
        [K, (S,) T, B, D, C] when enumerated, [(S,) T, B, D, C] when sampled.
    """
    plates = psi.dim() - 2
    if z.dim() > plates and z.shape[0] == psi.shape[-3] and z.shape[1:].numel() == 1:
        moved = psi.movedim(-3, 0)  # [K, (S,) T, B, D, C]
        missing = z.dim() - plates - 1
        return moved[(slice(None),) + (None,) * missing]  # [K, 1.., (S,) T, B, D, C]
    num_components, num_pixels, channels = psi.shape[-3:]
    batch = torch.broadcast_shapes(z.shape[:-1], psi.shape[:-3])  # (S,) T, B
    index = z.expand(*batch, num_pixels)[..., None, :, None]  # [(S,) T, B, 1, D, 1]
    index = index.expand(*batch, 1, num_pixels, channels)  # [(S,) T, B, 1, D, C]
    full = psi.expand(*batch, num_components, num_pixels, channels)  # [(S,) T, B, K, D, C]
    return full.gather(-3, index).squeeze(-3)  # [(S,) T, B, D, C]
