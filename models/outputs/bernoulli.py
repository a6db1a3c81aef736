"""A vector of independent bits."""

from __future__ import annotations

import pyro.distributions as dist
import torch
from torch import Tensor, nn

from models.outputs.choices import check_choices
from pyro_nem.checks import at_least
from pyro_nem.data import SequenceSet
from pyro_nem.errors import ConfigError

__all__ = ["BernoulliOutput"]

# Of 10,000 steps. A note that no training tune has must not be impossible.
_RAREST = 1e-4


class BernoulliOutput(nn.Module):
    """Parameterises p(x_t | raw) = prod_d Bernoulli(sigmoid(raw_d + logit(mean_d))).

    A network starts from the frequencies of the data and reads deviations from them.

    Parameters
    ----------
    size
        D, the number of bits.
    mean
        Frequency of each, [D]; 1/2 if not given. Kept with the weights.

    Raises
    ------
    ConfigError
        If the size is below 1, or the mean of another size or not within [0, 1].
    """

    mean: Tensor

    def __init__(self, size: int, mean: Tensor | None = None) -> None:
        super().__init__()
        at_least(1, size=size)
        mean = torch.full((size,), 0.5) if mean is None else mean
        if mean.shape != (size,) or not ((mean >= 0.0) & (mean <= 1.0)).all():
            raise ConfigError(
                f"mean: expected {size} frequencies in [0, 1], got {tuple(mean.shape)} from "
                f"{mean.min():g} to {mean.max():g}"
            )
        self.size = self.num_inputs = self.num_parameters = size
        self.register_buffer("mean", mean.clamp(_RAREST, 1.0 - _RAREST))

    def check(self, data: SequenceSet) -> None:
        """Check that all numbers are bits; see :class:`OutputLaw`."""
        check_choices(data, (2,) * self.size)

    def features(self, x: Tensor) -> Tensor:
        """Return x - mean, [..., D]."""
        return x - self.mean

    def law(self, raw: Tensor, before: Tensor | None = None) -> dist.TorchDistribution:
        """Return the law of the bits; see the class."""
        return dist.Bernoulli(logits=raw + self.mean.logit()).to_event(1)
