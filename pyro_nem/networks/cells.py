"""Recurrent cells: the M-step theta_t = cell(features_t, hidden_{t-1}).

Every cell's theta lies in [0, 1]^H, where the model's prior lives. A cell works on the last axis;
the axes before it, written ..., are any number of independent rows. Only the relational cells
(relational.py) give the last of them a meaning: it is K, and components see each other.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from pyro_nem.networks.layers import feature_layer_norm, glorot_

__all__ = ["Cell", "CellState", "GatedCell", "SigmoidCell"]


class CellState(NamedTuple):
    """What a cell returns: the carried state and the component state, both [..., H]."""

    hidden: Tensor
    theta: Tensor


class Cell(Protocol):
    """The contract of a recurrent cell."""

    state_size: int

    def initial(self, like: Tensor) -> CellState:
        """Return the state before the first step, for the rows of ``like`` [..., any size]."""
        ...

    def __call__(self, features: Tensor, hidden: Tensor) -> CellState:
        """Advance by one step: features [..., F], hidden [..., H]."""
        ...


class SigmoidCell(nn.Module):
    """Parameterises the M-step of the original: theta = sigmoid(W [features, hidden] + b).

    With ``normalise`` the value passed to the decoder is sigmoid(LN(a)), while the carried state
    stays sigmoid(a): the original normalises the output of its cell only.

    Parameters
    ----------
    num_features
        F, the size of the input.
    state_size
        H, the size of the state.
    normalise
        Layer-normalise the output.
    """

    def __init__(self, num_features: int, state_size: int, *, normalise: bool = False) -> None:
        super().__init__()
        self.state_size = state_size
        self.linear = nn.Linear(num_features + state_size, state_size)
        self.norm = feature_layer_norm(state_size) if normalise else None
        self.apply(glorot_)

    def initial(self, like: Tensor) -> CellState:
        """Return zeros, as the original: theta_0 = 0."""
        zeros = like.new_zeros(*like.shape[:-1], self.state_size)  # [..., H]
        return CellState(zeros, zeros)

    def forward(self, features: Tensor, hidden: Tensor) -> CellState:
        """Return the next state; see the class."""
        a = self.linear(torch.cat([features, hidden], dim=-1))  # [..., H]
        hidden = torch.sigmoid(a)
        return CellState(hidden, hidden if self.norm is None else torch.sigmoid(self.norm(a)))


class GatedCell(nn.Module):
    """Parameterises the M-step as a gated recurrent unit (Cho 2014).

    A GRU's state h lives in [-1, 1]; theta = (1 + h) / 2 lives where the model's prior does.

    Parameters
    ----------
    num_features
        F, the size of the input.
    state_size
        H, the size of the state.
    """

    def __init__(self, num_features: int, state_size: int) -> None:
        super().__init__()
        self.state_size = state_size
        self.gru = nn.GRUCell(num_features, state_size)

    def initial(self, like: Tensor) -> CellState:
        """Return h = 0, that is theta = 1/2."""
        zeros = like.new_zeros(*like.shape[:-1], self.state_size)  # [..., H]
        return CellState(zeros, zeros + 0.5)

    def forward(self, features: Tensor, hidden: Tensor) -> CellState:
        """Return the next state; see the class."""
        rows = features.reshape(-1, features.shape[-1])  # [N, F]
        shape = hidden.shape
        hidden = self.gru(rows, hidden.reshape(-1, self.state_size)).view(shape)  # [..., H]
        # Rounding can carry (1 + h) / 2 past the cube's faces by one unit in the last place.
        return CellState(hidden, ((1.0 + hidden) / 2.0).clamp(0.0, 1.0))
