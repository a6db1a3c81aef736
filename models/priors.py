"""Priors over component states."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import pyro.distributions as dist
import torch
from pyro.distributions import constraints
from torch import Size, Tensor

__all__ = ["StatePrior", "UniformPrior", "UnitCube"]

_SCALAR = Size()


class StatePrior(Protocol):
    """The contract of a prior p(theta_tk | context_tk) over the states of the components."""

    context_size: int
    """G, the size of what it knows of the past; 0 for nothing."""

    def __call__(
        self, context: Tensor | None, shape: tuple[int, int], like: Tensor
    ) -> dist.TorchDistribution:
        """Return the law of the states of all components, event shape [K, H].

        Parameters
        ----------
        context
            What is known of the past, [(S,) T, B, 1, K, G], the 1 standing where the pixels are;
            None if ``context_size`` is 0.
        shape
            (K, H).
        like
            A tensor whose dtype and device states take.
        """
        ...


class UniformPrior:
    """Parameterises p(theta_tk) = Uniform([0, 1]^H), the prior of point-mass guides."""

    context_size = 0

    def __call__(
        self, context: Tensor | None, shape: tuple[int, int], like: Tensor
    ) -> dist.TorchDistribution:
        """Return the uniform law; see :class:`StatePrior`."""
        return UnitCube(shape, like)


class UnitCube(dist.TorchDistribution):  # type: ignore[misc]  # pyro is untyped
    """The uniform density p(theta_tk) on the closed cube [0, 1]^(K x H); its logarithm is 0.

    ``torch.distributions.Uniform(0, 1)`` excludes the value 1, which a saturated float32 sigmoid
    reaches: its log density there is minus infinity. This one includes both ends, so that the
    bound of a deterministic guide is exactly the log-likelihood of the mixture.

    Parameters
    ----------
    shape
        Event shape, [K, H].
    like
        A tensor whose dtype and device samples take.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.independent(constraints.unit_interval, 2)
    has_rsample = True

    def __init__(
        self,
        shape: tuple[int, int],
        like: Tensor,
        batch_shape: Size = _SCALAR,
        validate_args: bool | None = None,
    ) -> None:
        self._like = like
        super().__init__(batch_shape, Size(shape), validate_args=validate_args)

    def expand(self, batch_shape: Size, _instance: Any = None) -> UnitCube:
        """Return the same law over ``batch_shape`` independent cubes."""
        return UnitCube(tuple(self.event_shape), self._like, Size(batch_shape), self._validate_args)

    def rsample(self, sample_shape: Size = _SCALAR) -> Tensor:
        """Draw states of shape sample_shape + batch_shape + [K, H]."""
        shape = self._extended_shape(sample_shape)
        return torch.rand(shape, dtype=self._like.dtype, device=self._like.device)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return 0 inside the cube and minus infinity outside, shape [..., ] without [K, H]."""
        if self._validate_args:
            self._validate_sample(value)
        inside = ((value >= 0.0) & (value <= 1.0)).flatten(-2).all(-1)
        return torch.zeros_like(inside, dtype=value.dtype).masked_fill(~inside, -torch.inf)
