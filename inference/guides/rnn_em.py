"""RNN-EM: the M-step is a recurrent network.

Source: Greff et al. (2017), section 3.3, and the released code. Departures from the code, each for
a reason:

- gamma is the exact posterior of the model (pi included, psi clipped) and not the likelihood plus
  1e-6, so that the loss is the bound of one model; tests/inference/test_e_step.py bounds the
  difference.
- what a component sees can be more than the masked residual, psi in it can be cut off from the
  gradient, and the default cell is gated: with a located decoder this learns flying shapes in
  minutes (docs/experiments.md). The paper's networks are given the paper's input.
- gamma's gradient, when it is on, flows through the recurrence and the inter-cluster term. Through
  the bound itself it is zero (Fisher's identity), because the bound sums z out, while the code's
  loss leaves the entropy of gamma out and so has a gradient there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from inference.guides.counterparts import check_cell, require_no_context
from inference.guides.recurrent import Draw, RecurrentGuide
from inference.guides.state import GuideState
from inference.guides.views import LOCATED_VIEWS, View, default_encoder, look
from models import SpatialMixture
from pyro_nem.networks import Cell, Encoder, GatedCell

__all__ = ["RNNEM"]


class RNNEM(RecurrentGuide):
    """Parameterises q(theta_t | x_{0:t+1}) = Delta(theta_t) by a recurrence over EM steps.

    A step, for component k with the noisy frame x_t and the clean next frame x_{t+1}:

        u_k     = look(x_t, psi_k, gamma_k)                  the paper: gamma_k (x_t - psi_k)
        theta_k = cell(encoder(u_k), theta_k)                M-step
        psi_k   = model.decode(theta_k)
        gamma_k = p(z = k | psi, x_{t+1})                    E-step

    Parameters
    ----------
    model
        The spatial mixture that this guide inverts.
    encoder
        See :class:`pyro_nem.networks.Encoder`; its ``image_shape`` has the channels of the views.
        A :class:`pyro_nem.networks.PatchEncoder` if not given.
    cell
        Recurrent cell, (features [B, K, F], hidden [B, K, G]) -> CellState; a gated one if not
        given.
    views
        What a component sees, see :data:`inference.guides.views.View`; the paper's networks see
        the masked residual alone.
    gradient_gamma
        Back-propagate through the responsibilities (the paper: on for static images, off for
        sequences).
    gradient_psi
        Back-propagate through the psi that the views hold (the paper: on). Off, the gradient
        reaches earlier steps through the recurrent state only, which is cheaper.

    Raises
    ------
    ConfigError
        If encoder or cell do not fit the model, or its prior has a context.
    """

    def __init__(
        self,
        model: SpatialMixture,
        encoder: nn.Module | None = None,
        cell: nn.Module | None = None,
        *,
        views: Sequence[View] = LOCATED_VIEWS,
        gradient_gamma: bool = False,
        gradient_psi: bool = False,
    ) -> None:
        super().__init__(model, gradient_gamma=gradient_gamma)
        require_no_context(model)
        self.views = tuple(views)
        self.encoder = default_encoder(encoder, self.views, model)
        if cell is None:
            cell = GatedCell(cast(Encoder, self.encoder).num_features, model.state_size)
        check_cell(cell, model.state_size, "decoder")
        self.cell = cell
        self.gradient_psi = gradient_psi

    def init(self, batch: int) -> tuple[Tensor, Tensor]:
        """Return the cell's initial state."""
        like = next(self.parameters()).new_empty(batch, self.model.num_components, 0)  # [B, K, 0]
        hidden, theta = cast(Cell, self.cell).initial(like)  # [B, K, G], [B, K, H]
        return hidden, theta

    def step(
        self,
        state: GuideState,
        inputs: Tensor,
        targets: Tensor | None,
        observed: Tensor | None = None,
        *,
        draw: Draw | None = None,
    ) -> GuideState:
        """Do one M-step with the noisy frame and one E-step against the clean next one.

        See :meth:`inference.guides.RecurrentGuide.step`.
        """
        psi_before = state.psi if self.gradient_psi else state.psi.detach()
        seen = look(self.views, inputs, psi_before, state.gamma)  # [B, K, D, channels]
        features = self.model.run(self.encoder, seen.flatten(0, 1))  # [B K, F]
        features = features.unflatten(0, seen.shape[:2])  # [B, K, F]
        hidden, theta = self.model.run(self.cell, features, state.hidden)  # [B, K, G], [B, K, H]
        psi = self.model.decode(theta)  # [B, K, D, C]
        return GuideState(hidden, theta, psi, self.assign(psi, targets, observed))
