"""R-NEM: RNN-EM whose components interact in the M-step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import nn

from inference.guides.rnn_em import RNNEM
from inference.guides.views import LOCATED_VIEWS, View, default_encoder
from models import SpatialMixture
from pyro_nem.networks import Encoder, GatedRelationalCell

__all__ = ["RNEM"]


class RNEM(RNNEM):
    """Parameterises q(theta_t | x_{0:t+1}) = Delta(theta_t) by EM steps with pairwise interaction.

    The recurrent cell of component k receives, beside its features, the effects of all others,
    sum_{j != k} attention(theta_k, theta_j) * effect(theta_k, theta_j): objects that collide are
    predicted together. Everything else is RNN-EM. Source: van Steenkiste, Chang, Greff and
    Schmidhuber (2018), section 2.2.

    Parameters
    ----------
    model, encoder, views, gradient_gamma, gradient_psi
        See :class:`inference.guides.RNNEM`.
    cell
        A cell that lets the components interact, (features [B, K, F], hidden [B, K, G]) ->
        CellState; a :class:`pyro_nem.networks.GatedRelationalCell` if not given, and
        :class:`pyro_nem.networks.RelationalCell` is the paper's.
    attention
        Whether the default cell weights each effect by attention; ignored if ``cell`` is given.

    Raises
    ------
    ConfigError
        See :class:`inference.guides.RNNEM`.
    """

    def __init__(
        self,
        model: SpatialMixture,
        encoder: nn.Module | None = None,
        cell: nn.Module | None = None,
        *,
        attention: bool = True,
        views: Sequence[View] = LOCATED_VIEWS,
        gradient_gamma: bool = False,
        gradient_psi: bool = False,
    ) -> None:
        encoder = default_encoder(encoder, tuple(views), model)
        if cell is None:
            features = cast(Encoder, encoder).num_features
            cell = GatedRelationalCell(features, model.state_size, attention=attention)
        super().__init__(
            model,
            encoder,
            cell,
            views=views,
            gradient_gamma=gradient_gamma,
            gradient_psi=gradient_psi,
        )
