"""The contract of an output law."""

from __future__ import annotations

from typing import Protocol

import pyro.distributions as dist
from torch import Tensor

from pyro_nem.data import SequenceSet

__all__ = ["OutputLaw"]


class OutputLaw(Protocol):
    """The law p(x_t | raw, x_{t-1}) of a step, raw being what a network made of the past.

    An nn.Module. Most laws leave x_{t-1} to the network.
    """

    size: int
    """D, the numbers of a step."""

    num_inputs: int
    """F, the numbers in which a network reads a step."""

    num_parameters: int
    """P, the numbers that a network gives for a step."""

    def check(self, data: SequenceSet) -> None:
        """Check that every step of a set, in the units of its batches, has a density.

        Raises
        ------
        DataError
            If one has none; the message says where.
        """
        ...

    def features(self, x: Tensor) -> Tensor:
        """Return a step as a network should read it, [..., D] -> [..., F].

        Where few of the F numbers are 1 and all others 0, the places of those, int64 [..., M]; see
        :class:`pyro_nem.networks.SparseLinear`.
        """
        ...

    def law(self, raw: Tensor, before: Tensor | None = None) -> dist.TorchDistribution:
        """Return the law of a step, event shape [D].

        Parameters
        ----------
        raw
            A network's numbers, [..., P].
        before
            The step before, [..., D], for laws that read it; 0 before the first, and if not given.
        """
        ...
