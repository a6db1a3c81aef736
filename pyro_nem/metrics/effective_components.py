"""How many components are in use."""

import torch

__all__ = ["effective_components"]


def effective_components(gamma: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return exp of the entropy of the components' shares of the scored pixels.

    With share_k the mean of gamma_k over scored pixels, exp(-sum_k share_k log share_k): K when
    all have equal shares, 1 when one takes all. A collapse of training shows here first. Equal
    shares also come from responsibilities that are all 1 / K: read it beside `confidence`.

    Parameters
    ----------
    gamma
        Responsibilities, summing to 1 over K; shape `[T, B, K, D]`.
    labels
        True object of each pixel, 0 where not scored; shape `[T, B, D]`.

    Returns
    -------
    torch.Tensor
        float64, shape `[T, B]`, between 1 and K; NaN where no pixel is scored.
    """
    scored = (labels != 0).double()  # [T, B, D]
    taken = (gamma.double() * scored.unsqueeze(-2)).sum(-1)  # [T, B, K]
    share = taken / scored.sum(-1, keepdim=True)  # [T, B, K]
    # xlogy gives 0 log 0 = 0.
    return torch.exp(-torch.xlogy(share, share).sum(-1))
