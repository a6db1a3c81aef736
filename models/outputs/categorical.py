"""A tuple of choices."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import pyro.distributions as dist
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.outputs.choices import check_choices
from pyro_nem.checks import at_least
from pyro_nem.data import SequenceSet
from pyro_nem.errors import ConfigError

__all__ = ["CategoricalOutput"]


class CategoricalOutput(nn.Module):
    """Parameterises p(x_t | raw) = prod_m Categorical(raw_m), x_m one of ``sizes[m]`` values.

    Given the state the choices are independent. One choice among all tuples, ``sizes=(V,)``, leaves
    their dependence to this law and is what tables of tuples are compared with.

    Parameters
    ----------
    sizes
        The number of values of each choice, which are counted from 0.

    Raises
    ------
    ConfigError
        If there is no choice, or one has no value.
    """

    _first: Tensor

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        if not sizes:
            raise ConfigError("sizes: expected at least one choice, got none")
        at_least(1, sizes=min(sizes))
        self.sizes = tuple(sizes)
        self.size = len(sizes)
        self.num_inputs = self.num_parameters = sum(sizes)
        # The place of each choice's first value, which the sizes tell.
        first = torch.tensor([0, *accumulate(self.sizes[:-1])])  # [M]
        self.register_buffer("_first", first, persistent=False)

    def check(self, data: SequenceSet) -> None:
        """Check that every choice has its value; see :class:`OutputLaw`."""
        check_choices(data, self.sizes)

    def features(self, x: Tensor) -> Tensor:
        """Return the places of what is chosen in bits for all values, int64 [..., M]."""
        return x.long() + self._first

    def law(self, raw: Tensor, before: Tensor | None = None) -> dist.TorchDistribution:
        """Return the law of the tuple, event shape [M]; see the class."""
        widest = max(self.sizes)
        # A value that a choice has not is impossible.
        logits = [
            F.pad(part, (0, widest - part.shape[-1]), value=-torch.inf)
            for part in raw.split(self.sizes, dim=-1)
        ]
        return dist.Categorical(logits=torch.stack(logits, dim=-2)).to_event(1)
