"""How sure the assignment of pixels is."""

import torch

__all__ = ["confidence"]


def confidence(gamma: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean over scored pixels of the largest responsibility, max_k gamma_k.

    Between 1 / K (no idea) and 1 (certain). Certain is not right: a model with one component in
    use has confidence 1. Source: the released code.

    Parameters
    ----------
    gamma
        Responsibilities, summing to 1 over K; shape `[T, B, K, D]`.
    labels
        True object of each pixel, 0 where not scored; shape `[T, B, D]`.

    Returns
    -------
    torch.Tensor
        float64, shape `[T, B]`; NaN where no pixel is scored.
    """
    scored = (labels != 0).double()  # [T, B, D]
    best = gamma.amax(-2).double()  # [T, B, D]
    return (best * scored).sum(-1) / scored.sum(-1)
