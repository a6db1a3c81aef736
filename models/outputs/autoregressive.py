"""A frame of a waveform whose samples are predicted from those before them."""

from __future__ import annotations

from typing import Any, ClassVar

import pyro.distributions as dist
import torch
from numpy.typing import NDArray
from pyro.distributions import constraints
from torch import Size, Tensor, nn
from torch.nn import functional as F

from models.recurrent_prior import MIN_SCALE, gaussian_head
from pyro_nem.checks import at_least
from pyro_nem.data import SequenceSet
from pyro_nem.errors import ConfigError

__all__ = ["AutoregressiveLaw", "AutoregressiveOutput"]

_SCALAR = Size()

# A network reads volumes as logarithms: of the frame, and of what is not predicted in its parts.
_PARTS = 20

# Added to volumes before their logarithm is taken.
_SILENCE = 1e-3

# Logarithms of quiet speech reach -14.
_LOG_SCALE = 0.25

# At 1 waves would not fade, and tanh reaches it in float32.
_LARGEST = 0.9999


class AutoregressiveOutput(nn.Module):
    """Parameterises p(x_t | raw, x_{t-1}) of a frame x_t by linear prediction within it.

    A sample is Gaussian around what coefficients make of the P samples before it, with an offset
    and a scale of its own; coefficients are those of the frame. The first samples of a frame are
    predicted from the last ones of the frame before. No published VRNN has this law.

    The network gives the coefficients as the reflections of a lattice filter, within (-1, 1). Its
    waves fade, whatever they are, so that draws stay bounded.

    A network reads of a frame its samples at one volume, logarithms of volumes, and correlations
    between samples, from which volume and coefficients of the next frames are seen easily.

    Parameters
    ----------
    size
        D, the samples of a frame.
    coefficients
        What the network reads deviations from, [P], the latest sample's first; P is at most D. Kept
        with the weights, as numbers of the default dtype like these.
    min_scale
        See :class:`GaussianOutput`.

    Raises
    ------
    ConfigError
        If the size is below 1, ``min_scale`` below 0, there are no coefficients or more than
        samples, or what they predict grows without end.
    """

    coefficients: Tensor
    centre: Tensor

    def __init__(
        self, size: int, coefficients: Tensor | NDArray[Any], *, min_scale: float = MIN_SCALE
    ) -> None:
        super().__init__()
        at_least(1, size=size)
        at_least(0, min_scale=min_scale)
        coefficients = torch.as_tensor(coefficients, dtype=torch.get_default_dtype())
        if coefficients.dim() != 1 or not 1 <= len(coefficients) <= size:
            raise ConfigError(
                f"coefficients: expected 1 to {size} numbers, got shape {tuple(coefficients.shape)}"
            )
        self.size = size
        self.order = len(coefficients)
        self.num_inputs = size + 1 + _PARTS + self.order
        self.num_parameters = 2 * size + self.order
        self.min_scale = min_scale
        reflection = _to_reflection(coefficients.double())
        if not (reflection.abs() < _LARGEST).all():
            raise ConfigError(
                "coefficients: expected those of a stable filter, got ones whose waves grow; take "
                "those of pyro_nem.metrics.linear_prediction"
            )
        self.register_buffer("coefficients", coefficients)
        self.register_buffer("centre", (reflection / _LARGEST).atanh().to(coefficients.dtype))

    def check(self, data: SequenceSet) -> None:
        """Accept any set: its numbers are finite, and every finite one is possible."""

    def features(self, x: Tensor) -> Tensor:
        """Return what a network reads of frames, [..., D] -> [..., F]; see the class."""
        power = x.square().mean(-1, keepdim=True) + _SILENCE**2  # [..., 1]
        known = F.pad(x, (self.order, 0)).unfold(-1, self.order + 1, 1)  # [..., D, P + 1]
        whitening = torch.cat([-self.coefficients.flip(0), self.coefficients.new_ones(1)])
        errors = (known @ whitening).square()  # [..., D]
        parts = F.adaptive_avg_pool1d(errors.reshape(-1, 1, self.size), _PARTS)
        volumes = parts.view(*x.shape[:-1], _PARTS) + _SILENCE**2
        correlations = (x.unsqueeze(-2) @ known).squeeze(-2) / (self.size * power)  # [..., P + 1]
        logs = _LOG_SCALE * torch.cat([power.log(), volumes.log()], dim=-1)
        return torch.cat([x / power.sqrt(), logs, correlations[..., :-1]], dim=-1)

    def law(self, raw: Tensor, before: Tensor | None = None) -> dist.TorchDistribution:
        """Return the law of a frame; see the class.

        Parameters
        ----------
        raw
            What a network gives, [..., 2 D + P].
        before
            The frame before, [..., D], of a shape that broadcasts with raw's; silence if not given.
        """
        heads, deviations = raw.split([2 * self.size, self.order], dim=-1)
        loc, scale = gaussian_head(heads, self.min_scale)  # [..., D] each
        before = loc.new_zeros(self.order) if before is None else before[..., -self.order :]
        before = before.expand(*loc.shape[:-1], self.order)
        reflection = _LARGEST * (self.centre + deviations).tanh()
        return AutoregressiveLaw(loc, scale, _to_coefficients(reflection), before)


class AutoregressiveLaw(dist.TorchDistribution):  # type: ignore[misc]  # pyro is untyped
    """prod_d Normal(x_d; loc_d + sum_j coefficients_j x_{d-j}, scale_d), event shape [D].

    Parameters
    ----------
    loc, scale
        Of each sample beside what is predicted, [..., D].
    coefficients
        Of the P samples before, the latest first, [..., P].
    before
        The P samples before the first, in the order of time, [..., P].
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector

    def __init__(
        self,
        loc: Tensor,
        scale: Tensor,
        coefficients: Tensor,
        before: Tensor,
        validate_args: bool | None = None,
    ) -> None:
        self._loc, self._scale = loc, scale
        self._coefficients, self._before = coefficients, before
        super().__init__(loc.shape[:-1], loc.shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Size, _instance: Any = None) -> AutoregressiveLaw:
        """Return the same law over a larger batch."""
        parts = (self._loc, self._scale, self._coefficients, self._before)
        loc, scale, coefficients, before = (
            part.expand(*batch_shape, part.shape[-1]) for part in parts
        )
        return AutoregressiveLaw(loc, scale, coefficients, before)

    def sample(self, sample_shape: Size = _SCALAR) -> Tensor:
        """Draw frames, [..., D]."""
        shape = (*sample_shape, *self._loc.shape)
        with torch.no_grad():
            noise = self._loc + self._scale * torch.randn(
                shape, dtype=self._loc.dtype, device=self._loc.device
            )
            samples = list(self._before.expand(*shape[:-1], -1).unbind(-1))
            latest_last = self._coefficients.flip(-1)
            order = latest_last.shape[-1]
            for own in noise.unbind(-1):
                past = torch.stack(samples[-order:], dim=-1)
                samples.append(own + (latest_last * past).sum(-1))
            return torch.stack(samples[order:], dim=-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the log density, [...]."""
        order = self._coefficients.shape[-1]
        shape = torch.broadcast_shapes(value.shape[:-1], self.batch_shape)
        before = self._before.expand(*shape, order)
        known = torch.cat([before, value.expand(*shape, -1)], dim=-1)  # [..., P + D]
        windows = known[..., :-1].unfold(-1, order, 1)  # [..., D, P]
        predicted = (windows @ self._coefficients.flip(-1).unsqueeze(-1)).squeeze(-1)
        each: Tensor = dist.Normal(self._loc + predicted, self._scale).log_prob(value)
        return each.sum(-1)


def _to_coefficients(reflection: Tensor) -> Tensor:
    """Return the predictor of reflections, [..., P] -> [..., P], by Levinson's recursion."""
    coefficients = reflection[..., :1]
    for latest in reflection[..., 1:].split(1, dim=-1):
        coefficients = torch.cat([coefficients - latest * coefficients.flip(-1), latest], dim=-1)
    return coefficients


def _to_reflection(coefficients: Tensor) -> Tensor:
    """Return the reflections of a predictor, [P] -> [P]; within (-1, 1) if its waves fade."""
    found = []
    while len(coefficients):
        latest, rest = coefficients[-1], coefficients[:-1]
        found.append(latest)
        coefficients = (rest + latest * rest.flip(0)) / (1.0 - latest.square())
    return torch.stack(found[::-1])
