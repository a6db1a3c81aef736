"""How well the next frame is predicted."""

from typing import Final

import torch

__all__ = ["next_step_bce"]

_CLIP: Final = 1e-6


def next_step_bce(
    psi: torch.Tensor, targets: torch.Tensor, counted: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the binary cross-entropy of max_k psi_k against the next frame, in nats a frame.

    Taking the maximum needs no responsibilities, which would have seen the target. For binary
    frames it is the published "upper bound" on the loss of the released code.
    All pixels count, background too, unless some are chosen.

    Parameters
    ----------
    psi
        Predicted intensities in [0, 1]; shape `[T, B, K, D, C]`. The maximum is clipped to
        [1e-6, 1 - 1e-6], so a certain but wrong pixel costs 13.8 nats and not infinity.
    targets
        The clean frames that psi predicts, in [0, 1]; shape `[T, B, D, C]`.
    counted
        Bool, the pixels to sum over; shape `[T, B, D]`. All of them if not given.

    Returns
    -------
    torch.Tensor
        Summed over pixels and channels, float64; shape `[T, B]`. NaN only if an input is.
    """
    brightest = psi.amax(2).double().clamp(_CLIP, 1 - _CLIP)  # [T, B, D, C]
    wanted = targets.double()  # [T, B, D, C]
    nats = -(wanted * brightest.log() + (1 - wanted) * torch.log1p(-brightest))
    if counted is not None:
        nats = nats * counted.unsqueeze(-1)  # [T, B, D, C]
    return nats.sum((-2, -1))  # [T, B]
