"""Recurrent cells whose components see each other: the M-step of Relational N-EM.

Features and states are [..., K, size]: unlike the cells of cells.py, these need the components on
an axis of their own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pyro_nem.networks.cells import CellState, GatedCell
from pyro_nem.networks.interaction import Interaction
from pyro_nem.networks.layers import dense, feature_layer_norm, glorot_

__all__ = ["GatedRelationalCell", "RelationalCell"]


class RelationalCell(nn.Module):
    """Parameterises the M-step of R-NEM, theta_k = sigmoid(LN(a_k)).

    a_k follows from the effects of all components on k (:class:`pyro_nem.networks.Interaction`):

        e_k = ReLU(LN(W hidden_k + b)),
        a_k = V [e_k, effect_k(e), features_k] + c.

    As in :class:`pyro_nem.networks.SigmoidCell` with ``normalise``, the carried state is
    sigmoid(a), without the norm. Departure from the released code, which refuses K = 1: here a
    single component's effect is 0, so the same weights run with any number of components.

    Parameters
    ----------
    num_features
        F, the size of the input.
    state_size
        H, the size of the state.
    encoded_size
        Size of e_k, of the core, and of an effect.
    attention
        Weigh the pairs of components; off is the paper's ablation.
    attention_size
        Width of the attention's hidden layer.

    References
    ----------
    van Steenkiste, Chang, Greff, Schmidhuber (2018), Relational Neural Expectation Maximization;
    the defaults are those of the paper.
    """

    def __init__(
        self,
        num_features: int,
        state_size: int = 250,
        *,
        encoded_size: int = 250,
        attention: bool = True,
        attention_size: int = 100,
    ) -> None:
        super().__init__()
        self.state_size = state_size
        self.encoder = dense(state_size, encoded_size, nn.ReLU())
        self.interaction = Interaction(
            encoded_size, encoded_size, attention=attention, attention_size=attention_size
        )
        self.linear = nn.Linear(2 * encoded_size + num_features, state_size)
        self.norm = feature_layer_norm(state_size)
        self.apply(glorot_)

    def initial(self, like: Tensor) -> CellState:
        """Return zeros, as the original: theta_0 = 0."""
        zeros = like.new_zeros(*like.shape[:-1], self.state_size)  # [..., K, H]
        return CellState(zeros, zeros)

    def forward(self, features: Tensor, hidden: Tensor) -> CellState:
        """Advance by one step: features [..., K, F], hidden [..., K, H]."""
        codes = self.encoder(hidden)  # [..., K, encoded]
        effects = self.interaction(codes)  # [..., K, encoded]
        a = self.linear(torch.cat([codes, effects, features], dim=-1))  # [..., K, H]
        return CellState(torch.sigmoid(a), torch.sigmoid(self.norm(a)))


class GatedRelationalCell(nn.Module):
    """Parameterises the M-step as a gated recurrent unit that also reads the effect of the others.

    Ours, for the small network: a :class:`pyro_nem.networks.GatedCell` with the input
    [features_k, effect_k], the effects computed from theta. A single component's effect is 0.

    Parameters
    ----------
    num_features
        F, the size of the input.
    state_size
        H, the size of the state.
    encoded_size
        Size of a component's code, of the core, and of an effect.
    attention
        Weigh the pairs of components.
    attention_size
        Width of the attention's hidden layer.
    """

    def __init__(
        self,
        num_features: int,
        state_size: int = 128,
        *,
        encoded_size: int = 64,
        attention: bool = True,
        attention_size: int = 32,
    ) -> None:
        super().__init__()
        self.state_size = state_size
        self.encoder = dense(state_size, encoded_size, nn.ReLU())
        self.interaction = Interaction(
            encoded_size, encoded_size, attention=attention, attention_size=attention_size
        )
        self.cell = GatedCell(num_features + encoded_size, state_size)

    def initial(self, like: Tensor) -> CellState:
        """Return h = 0, that is theta = 1/2."""
        return self.cell.initial(like)

    def forward(self, features: Tensor, hidden: Tensor) -> CellState:
        """Advance by one step: features [..., K, F], hidden [..., K, H]."""
        codes = self.encoder((1.0 + hidden) / 2.0)  # [..., K, encoded]
        effects = self.interaction(codes)  # [..., K, encoded]
        state: CellState = self.cell(torch.cat([features, effects], dim=-1), hidden)
        return state
