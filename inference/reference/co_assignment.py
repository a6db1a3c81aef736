"""Whether two pixels belong together, whatever the components are called."""

from __future__ import annotations

import torch
from torch import Tensor

from pyro_nem.errors import ConfigError

__all__ = ["co_assignment"]


def co_assignment(gamma: Tensor, pairs: Tensor | None = None) -> Tensor:
    """Return p(z_i = z_j | theta, x) = sum_k gamma_ik gamma_jk of pairs of pixels.

    Given the states, pixels are assigned independently of each other, so this is exact for i != j.
    It does not change when components are renumbered: posteriors that differ in the numbering, or
    visit several, can be compared by it, and its draws may be averaged where those of gamma may
    not. On the diagonal stands sum_k gamma_ik^2, the probability that two draws of the same pixel's
    assignment agree: 1 where the assignment is certain, at least 1/K.

    Parameters
    ----------
    gamma
        Responsibilities, [..., K, D].
    pairs
        Indices (i, j) of P pairs, LongTensor [P, 2]; all D^2 pairs if not given.

    Returns
    -------
    Tensor
        Probabilities, [..., D, D], or [..., P] for given pairs.

    Raises
    ------
    ConfigError
        If ``gamma`` has no axes K and D, or ``pairs`` another shape or indices of no pixel.

    Examples
    --------
    >>> gamma = torch.tensor([[1.0, 0.8, 0.1], [0.0, 0.2, 0.9]])  # [K, D]
    >>> co_assignment(gamma, torch.tensor([[0, 1], [0, 2]]))
    tensor([0.8000, 0.1000])
    """
    if gamma.dim() < 2:
        raise ConfigError(
            f"gamma: expected shape [..., K, D], got {list(gamma.shape)}; pass the "
            "responsibilities of all components"
        )
    if pairs is None:
        return gamma.transpose(-1, -2) @ gamma  # [..., D, D]
    num_pixels = gamma.shape[-1]
    if pairs.dim() != 2 or pairs.shape[1] != 2 or pairs.dtype != torch.long:
        raise ConfigError(
            f"pairs: expected a LongTensor [P, 2], got {pairs.dtype} {list(pairs.shape)}"
        )
    if pairs.numel() and not (pairs.min() >= 0 and pairs.max() < num_pixels):
        raise ConfigError(
            f"pairs: expected indices of {num_pixels} pixels, 0 to {num_pixels - 1}, got "
            f"{pairs.min().item()} to {pairs.max().item()}"
        )
    one, other = gamma[..., pairs[:, 0]], gamma[..., pairs[:, 1]]  # [..., K, P] each
    return (one * other).sum(-2)  # [..., P]
