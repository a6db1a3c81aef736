"""A guide with stochastic states: a variational recurrent network for each component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from inference.guides.counterparts import check_cell
from inference.guides.recurrent import Draw, RecurrentGuide
from inference.guides.state import GuideState
from inference.guides.views import LOCATED_VIEWS, View, default_encoder, look
from models import RecurrentPrior, SpatialMixture, StateLaw, gaussian_head
from pyro_nem.errors import ConfigError
from pyro_nem.networks import Cell, Encoder, GatedCell

__all__ = ["VRNN"]


class VRNN(RecurrentGuide):
    """Parameterises q(theta_tk | h_{t-1,k}, u_tk) = Normal, the state of component k at step t.

    A step, for component k with the noisy frame x_t and the clean next frame x_{t+1}:

        u_k     = look(x_t, psi_k, gamma_k)                  what the component sees
        f_k     = encoder(u_k)
        p_k     = model.prior(h_k)                           Normal, before the frame is seen
        q_k     = p_k + head(f_k, h_k)                       Normal, after it
        theta_k ~ q_k
        psi_k   = model.decode(theta_k, h_k)
        gamma_k = p(z = k | psi, x_{t+1})                    E-step
        h_k     = cell([f_k, theta_k], h_k)

    The head corrects the prior: loc_q = loc_p + correction, with a scale of its own. Source: Chung
    et al. (2015), equations 5 to 9, with the masked frame of N-EM in the place of x; the residual
    posterior is of Fraccaro et al. (2016).

    Parameters
    ----------
    model
        A spatial mixture with a :class:`models.RecurrentPrior`, whose context is the hidden state.
    encoder
        See :class:`inference.guides.RNNEM`.
    cell
        Recurrent cell, (inputs [B, K, F + H], hidden [B, K, G]) -> CellState; a gated one if not
        given.
    views
        What a component sees, see :data:`inference.guides.views.View`.
    gradient_gamma, gradient_psi
        See :class:`inference.guides.RNNEM`.
    hidden
        Width of the head's hidden layer.

    Raises
    ------
    ConfigError
        If the model has another prior, or encoder or cell do not fit it.
    """

    stochastic = True

    def __init__(
        self,
        model: SpatialMixture,
        encoder: nn.Module | None = None,
        cell: nn.Module | None = None,
        *,
        views: Sequence[View] = LOCATED_VIEWS,
        gradient_gamma: bool = False,
        gradient_psi: bool = False,
        hidden: int = 128,
    ) -> None:
        super().__init__(model, gradient_gamma=gradient_gamma)
        if not isinstance(model.prior, RecurrentPrior):
            raise ConfigError(
                "model: the guide VRNN needs a prior that follows its recurrence, got "
                f"{type(model.prior).__name__}; build the model with "
                "SpatialMixture(decoder, K, prior=RecurrentPrior(state_size, context_size)), where "
                "state_size + context_size is the decoder's state_size, "
                f"{model.state_size + model.prior.context_size}"
            )
        size = model.prior.context_size
        self.views = tuple(views)
        self.encoder = default_encoder(encoder, self.views, model)
        self.gradient_psi = gradient_psi
        num_features = cast(Encoder, self.encoder).num_features
        self.cell = GatedCell(num_features + model.state_size, size) if cell is None else cell
        check_cell(self.cell, size, "prior")
        self.layers = nn.Sequential(
            nn.Linear(num_features + size, hidden), nn.LayerNorm(hidden), nn.ReLU()
        )
        self.head = nn.Linear(hidden, 2 * model.state_size)

    def init(self, batch: int) -> tuple[Tensor, Tensor]:
        """Return h = 0 and theta = 0."""
        model = self.model
        like = next(self.parameters()).new_empty(batch, model.num_components, 0)  # [B, K, 0]
        hidden = cast(Cell, self.cell).initial(like).hidden  # [B, K, G]
        return hidden, like.new_zeros(*like.shape[:2], model.state_size)  # [B, K, H]

    def step(
        self,
        state: GuideState,
        inputs: Tensor,
        targets: Tensor | None,
        observed: Tensor | None = None,
        *,
        draw: Draw | None = None,
    ) -> GuideState:
        """Draw theta given the noisy frame, and do one E-step against the clean next one.

        Without targets theta comes from the prior: nothing has been seen. See
        :meth:`inference.guides.RecurrentGuide.step`; without ``draw`` theta is the mean.
        """
        context = state.hidden  # [B, K, G]
        psi_before = state.psi if self.gradient_psi else state.psi.detach()
        seen = look(self.views, inputs, psi_before, state.gamma)  # [B, K, D, channels]
        features = self.model.run(self.encoder, seen.flatten(0, 1))  # [B K, F]
        features = features.unflatten(0, seen.shape[:2])  # [B, K, F]
        prior = cast(RecurrentPrior, self.model.prior).law(context)
        law = prior if targets is None else self._posterior(prior, features, context)
        theta = law.loc if draw is None else draw(law)  # [B, K, H]
        psi = self.model.decode(theta, context)  # [B, K, D, C]
        gamma = self.assign(psi, targets, observed)
        inputs = torch.cat([features, theta], dim=-1)  # [B, K, F + H]
        hidden, _ = self.model.run(self.cell, inputs, context)  # [B, K, G]
        return GuideState(hidden, theta, psi, gamma, context, law)

    def _posterior(self, prior: StateLaw, features: Tensor, context: Tensor) -> StateLaw:
        known = torch.cat([features, context], dim=-1)  # [B, K, F + G]
        correction, scale = gaussian_head(self.head(self.layers(known)))  # [B, K, H] each
        return StateLaw(prior.loc + correction, scale)
