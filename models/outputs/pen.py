"""The movement of a pen: two correlated coordinates, and whether it is lifted."""

from __future__ import annotations

from typing import Any, ClassVar

import pyro.distributions as dist
import torch
from pyro.distributions import constraints
from torch import Size, Tensor, nn

from models.outputs.choices import check_choices
from models.recurrent_prior import MIN_SCALE, gaussian_head
from pyro_nem.checks import at_least
from pyro_nem.data import SequenceSet

__all__ = ["PenLaw", "PenOutput"]

_SCALAR = Size()

# tanh reaches 1 in float32, where the density is degenerate.
_LARGEST_CORRELATION = 0.999


class PenOutput(nn.Module):
    """Parameterises p(x_t | raw) of x = (pen, dx, dy); see :class:`PenLaw`.

    Source: Graves (2013), section 4.1, as in Chung et al. (2015).

    Parameters
    ----------
    components
        K, bivariate Gaussians with a correlation each.
    min_scale
        See :class:`GaussianOutput`.

    Raises
    ------
    ConfigError
        If there is no component, or ``min_scale`` is below 0.
    """

    size = num_inputs = 3

    def __init__(self, components: int = 20, *, min_scale: float = MIN_SCALE) -> None:
        super().__init__()
        at_least(1, components=components)
        at_least(0, min_scale=min_scale)
        self.components = components
        self.num_parameters = 1 + 6 * components
        self.min_scale = min_scale

    def check(self, data: SequenceSet) -> None:
        """Check that the first number is a bit; see :class:`OutputLaw`."""
        check_choices(data, (2,))

    def features(self, x: Tensor) -> Tensor:
        """Return x itself."""
        return x

    def law(self, raw: Tensor, before: Tensor | None = None) -> dist.TorchDistribution:
        """Return the law of the movement; see the class."""
        k = self.components
        pen, weights, heads, correlation = raw.split([1, k, 4 * k, k], dim=-1)
        loc, scale = gaussian_head(heads.unflatten(-1, (k, 4)), self.min_scale)  # [..., K, 2] each
        rho = _LARGEST_CORRELATION * correlation.tanh()  # [..., K]
        first, second = scale.unbind(-1)
        rows = (first, torch.zeros_like(first), rho * second, (1.0 - rho**2).sqrt() * second)
        tril = torch.stack(rows, dim=-1).unflatten(-1, (2, 2))  # [..., K, 2, 2]
        movement = dist.MixtureSameFamily(
            dist.Categorical(logits=weights), dist.MultivariateNormal(loc, scale_tril=tril)
        )
        return PenLaw(dist.Bernoulli(logits=pen.squeeze(-1)), movement)


class PenLaw(dist.TorchDistribution):  # type: ignore[misc]  # pyro is untyped
    """p(pen) p(dx, dy), event shape [3].

    Parameters
    ----------
    pen
        The law of the bit, batch shape [...].
    movement
        The law of the two coordinates, the same batch shape, event shape [2].
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector

    def __init__(
        self,
        pen: dist.TorchDistribution,
        movement: dist.TorchDistribution,
        validate_args: bool | None = None,
    ) -> None:
        self._pen = pen
        self._movement = movement
        super().__init__(pen.batch_shape, Size((3,)), validate_args=validate_args)

    def expand(self, batch_shape: Size, _instance: Any = None) -> PenLaw:
        """Return the same law over a larger batch."""
        return PenLaw(self._pen.expand(batch_shape), self._movement.expand(batch_shape))

    def sample(self, sample_shape: Size = _SCALAR) -> Tensor:
        """Draw movements, [..., 3]."""
        pen = self._pen.sample(sample_shape).unsqueeze(-1)
        return torch.cat([pen, self._movement.sample(sample_shape)], dim=-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the log density, [...]."""
        pen: Tensor = self._pen.log_prob(value[..., 0])
        movement: Tensor = self._movement.log_prob(value[..., 1:])
        return pen + movement
