"""What the components of a mixture do to each other, pair by pair."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pyro_nem.networks.layers import dense, feature_layer_norm

__all__ = ["Interaction"]


class Interaction(nn.Module):
    """Maps each component's code to the effect that all the others have on it.

    For every ordered pair of two components,

        c_kj     = ReLU(LN(W [e_k, e_j] + b))                     the core
        v_kj     = dense ReLU layer of c_kj                       what j does to k
        a_kj     = sigmoid(w . dense tanh layer of c_kj + b')     how much k heeds j, in (0, 1)
        effect_k = sum over j != k of a_kj v_kj,

    so permuting the components permutes their effects, and K may change from call to call. A
    single component has no other, so its effect is 0.

    W has a half for each side of the pair, W [e_k, e_j] = W1 e_k + W2 e_j: two products with K
    rows and a sum that broadcasts take the place of a product with K (K - 1) rows of twice the
    width.

    Parameters
    ----------
    num_features
        F, the size of a code.
    effect_size
        E, the size of an effect and of the core.
    attention
        Weigh the pairs; otherwise a_kj = 1.
    attention_size
        Width of the attention's hidden layer.

    References
    ----------
    van Steenkiste, Chang, Greff, Schmidhuber (2018), Relational Neural Expectation Maximization;
    layers and norms are those of the released code.
    """

    def __init__(
        self,
        num_features: int,
        effect_size: int = 250,
        *,
        attention: bool = True,
        attention_size: int = 100,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.effect_size = effect_size
        self.core = nn.Linear(2 * num_features, effect_size)
        self.core_norm = feature_layer_norm(effect_size)
        self.context = dense(effect_size, effect_size, nn.ReLU())
        self.attention = (
            nn.Sequential(
                dense(effect_size, attention_size, nn.Tanh()),
                nn.Linear(attention_size, 1),
                nn.Sigmoid(),
            )
            if attention
            else None
        )

    def forward(self, codes: Tensor) -> Tensor:
        """Map codes [..., K, F] to effects [..., K, E]."""
        focus, other = self.core.weight.split(self.num_features, dim=1)  # [E, F] each
        on = codes @ focus.T + self.core.bias  # [..., K, E]
        by = codes @ other.T  # [..., K, E]
        pairs = _without_self(on.unsqueeze(-2) + by.unsqueeze(-3))  # [..., K, K - 1, E]
        core = torch.relu(self.core_norm(pairs))
        effects: Tensor = self.context(core)
        if self.attention is not None:
            effects = effects * self.attention(core)
        return effects.sum(-2)  # [..., K, E]


def _without_self(pairs: Tensor) -> Tensor:
    """Return [..., K, K, E] without its diagonal, in order, as [..., K, K - 1, E].

    By slices alone, which are cheaper to differentiate than an index: in row order, the diagonal
    is the first entry and then every (K + 1)-th.
    """
    count = pairs.shape[-2]
    rest = pairs.flatten(-3, -2)[..., 1:, :]  # [..., K K - 1, E]
    runs: Tensor = rest.unflatten(-2, (count - 1, count + 1))[..., :-1, :]  # [..., K - 1, K, E]
    return runs.reshape(*pairs.shape[:-2], count - 1, pairs.shape[-1])
