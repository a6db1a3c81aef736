"""Gradient N-EM: the M-step is one step of gradient ascent with a learned step size.

Source: Greff et al. (2017), section 3.2, and the released code (``network.NEM``): one weight matrix
shared by encoder and decoder, no biases. Departures from the code:

- the step size starts at 1 and not at a draw from U(-1.73, 1.73), half of which start by
  descending the likelihood;
- gamma and its gradient as in :mod:`inference.guides.rnn_em`.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from inference.guides.counterparts import require_no_context
from inference.guides.recurrent import Draw, RecurrentGuide
from inference.guides.state import GuideState
from models import BernoulliPixels, SpatialMixture
from pyro_nem.errors import ConfigError
from pyro_nem.networks import TiedDecoder

__all__ = ["GradientNEM"]


class GradientNEM(RecurrentGuide):
    """Parameterises q(theta_t | x_{0:t+1}) = Delta(sigmoid(a_t)) by unrolled generalised EM.

    With psi = sigmoid(W sigmoid(a)), the gradient of the expected log-likelihood
    sum_i gamma_ik log p(x_i | psi_ik) with respect to a_k is

        sigmoid'(a_k) W^T (gamma_k (x - psi_k)),

    and a step adds ``step_size`` times that. It has no principled meaning on videos, where the
    paper uses RNN-EM only.

    Parameters
    ----------
    model
        A spatial mixture of Bernoulli pixels whose decoder is a
        :class:`pyro_nem.networks.TiedDecoder`; its weight is the only other parameter.
    gradient_gamma
        Back-propagate through the responsibilities, as the paper does on static images.

    Raises
    ------
    ConfigError
        If the model's decoder or pixels are of another kind, or its prior has a context.
    """

    def __init__(self, model: SpatialMixture, *, gradient_gamma: bool = True) -> None:
        super().__init__(model, gradient_gamma=gradient_gamma)
        require_no_context(model)
        if not isinstance(model.decoder, TiedDecoder):
            raise ConfigError(
                "model: gradient N-EM differentiates its decoder by hand and expects a "
                f"TiedDecoder, got {type(model.decoder).__name__}; build the model with "
                "pyro_nem.networks.TiedDecoder(image_shape), or use the guide RNN-EM"
            )
        if not isinstance(model.pixels, BernoulliPixels):
            raise ConfigError(
                "model: gradient N-EM expects Bernoulli pixels, got "
                f"{type(model.pixels).__name__}; use the guide RNN-EM instead"
            )
        self.step_size = nn.Parameter(torch.ones(()))

    def init(self, batch: int) -> tuple[Tensor, Tensor]:
        """Return a = 0, that is theta = 1/2."""
        shape = (batch, self.model.num_components, self.model.state_size)
        hidden = self.step_size.new_zeros(shape)  # [B, K, H]
        return hidden, hidden + 0.5

    def step(
        self,
        state: GuideState,
        inputs: Tensor,
        targets: Tensor | None,
        observed: Tensor | None = None,
        *,
        draw: Draw | None = None,
    ) -> GuideState:
        """Do one gradient step with the noisy frame and one E-step against the clean one.

        See :meth:`inference.guides.RecurrentGuide.step`.
        """
        residual = inputs.unsqueeze(1) - state.psi  # [B, K, D, C]
        masked = (state.gamma.unsqueeze(-1) * residual).flatten(2)  # [B, K, D C]
        weight = cast(TiedDecoder, self.model.decoder).weight  # [D C, H]
        slope = state.theta * (1.0 - state.theta)  # [B, K, H]
        hidden = state.hidden + self.step_size * slope * (masked @ weight)  # [B, K, H]
        theta = torch.sigmoid(hidden)
        psi = self.model.decode(theta)  # [B, K, D, C]
        return GuideState(hidden, theta, psi, self.assign(psi, targets, observed))
