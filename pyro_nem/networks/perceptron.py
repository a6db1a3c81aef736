"""Fully connected layers."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from pyro_nem.checks import at_least
from pyro_nem.networks.sparse_linear import SparseLinear

__all__ = ["perceptron"]


def perceptron(
    num_inputs: int,
    width: int,
    *,
    layers: int = 1,
    layer_norm: bool = False,
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """Return layers [..., inputs] -> [..., width] with an activation behind each.

    Instead of [..., inputs] the first takes places too; see :class:`SparseLinear`.

    Parameters
    ----------
    num_inputs, width
        Sizes of input and output.
    layers
        How many.
    layer_norm
        Layer-normalise each before its activation.
    activation
        Makes an activation.

    Raises
    ------
    ConfigError
        If a size is below 1.
    """
    at_least(1, num_inputs=num_inputs, width=width, layers=layers)
    parts: list[nn.Module] = []
    for index in range(layers):
        parts.append(nn.Linear(width, width) if index else SparseLinear(num_inputs, width))
        if layer_norm:
            parts.append(nn.LayerNorm(width))
        parts.append(activation())
    return nn.Sequential(*parts)
