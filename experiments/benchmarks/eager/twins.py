"""The M-steps of the guides by hand, and the twin of an objective."""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import Generator, Tensor, nn
from torch.distributions import Normal

from experiments.benchmarks.eager.mixture import EagerMixture, EagerState
from inference import NEMObjective
from inference.guides import RNNEM, VRNN, GradientNEM
from models import RecurrentPrior, gaussian_head
from pyro_nem.networks import Cell, TiedDecoder, UpsampleConv

__all__ = ["EagerGradientNEM", "EagerRNNEM", "EagerVRNN", "eager_twin", "plain_convolutions"]


class EagerRNNEM(EagerMixture):
    """RNN-EM, and with a cell that lets components interact R-NEM, by hand."""

    def __init__(
        self,
        encoder: nn.Module,
        cell: nn.Module,
        decoder: nn.Module,
        num_components: int,
        *,
        inter_weight: float = 1.0,
        gradient_gamma: bool = False,
    ) -> None:
        super().__init__(
            decoder, num_components, inter_weight=inter_weight, gradient_gamma=gradient_gamma
        )
        self.encoder = encoder
        self.cell = cell

    def initial(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cell's initial state."""
        hidden, theta = cast(Cell, self.cell).initial(like)
        return hidden, theta

    def m_step(self, masked: Tensor, state: EagerState, generator: Generator | None) -> EagerState:
        """Do one recurrent M-step."""
        features = self.encoder(masked.flatten(0, 1).unsqueeze(-1))  # [B K, F]
        features = features.view(*masked.shape[:2], -1)  # [B, K, F]
        hidden, theta = self.cell(features, state.hidden)  # [B, K, G], [B, K, H]
        return EagerState(hidden, theta, self.decode(theta), None)


class EagerGradientNEM(EagerMixture):
    """Gradient N-EM by hand."""

    def __init__(
        self,
        decoder: TiedDecoder,
        step_size: nn.Parameter,
        num_components: int,
        *,
        inter_weight: float = 1.0,
        gradient_gamma: bool = True,
    ) -> None:
        super().__init__(
            decoder, num_components, inter_weight=inter_weight, gradient_gamma=gradient_gamma
        )
        self.step_size = step_size

    def initial(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return a = 0, that is theta = 1/2."""
        hidden = like.new_zeros(*like.shape[:2], cast(TiedDecoder, self.decoder).state_size)
        return hidden, hidden + 0.5  # [B, K, H]

    def m_step(self, masked: Tensor, state: EagerState, generator: Generator | None) -> EagerState:
        """Do one step of gradient ascent on the expected log-likelihood."""
        weight = cast(TiedDecoder, self.decoder).weight  # [D, H]
        ascent = state.theta * (1.0 - state.theta) * (masked @ weight)  # [B, K, H]
        hidden = state.hidden + self.step_size * ascent
        theta = torch.sigmoid(hidden)
        return EagerState(hidden, theta, self.decode(theta), None)


class EagerVRNN(EagerMixture):
    """The VRNN by hand, with the sampled divergence and one draw."""

    def __init__(
        self,
        networks: dict[str, nn.Module],
        num_components: int,
        *,
        inter_weight: float = 1.0,
        gradient_gamma: bool = False,
    ) -> None:
        super().__init__(
            networks.pop("decoder"),
            num_components,
            inter_weight=inter_weight,
            gradient_gamma=gradient_gamma,
        )
        self.networks = nn.ModuleDict(networks)

    def initial(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return h = 0; theta is drawn before it is read."""
        hidden = cast(Cell, self.networks["cell"]).initial(like).hidden  # [B, K, G]
        return hidden, hidden

    def m_step(self, masked: Tensor, state: EagerState, generator: Generator | None) -> EagerState:
        """Draw theta given the masked residual."""
        context = state.hidden  # [B, K, G]
        features = self.networks["encoder"](masked.flatten(0, 1).unsqueeze(-1))  # [B K, F]
        features = features.view(*masked.shape[:2], -1)  # [B, K, F]
        prior = gaussian_head(self.networks["prior"](context))
        known = torch.cat([features, context], dim=-1)  # [B, K, F + G]
        correction, scale = gaussian_head(self.networks["posterior"](known))
        loc = prior.loc + correction  # [B, K, H]
        noise = torch.randn(loc.shape, generator=generator, dtype=loc.dtype, device=loc.device)
        theta = loc + scale * noise
        log_q, log_p = Normal(loc, scale).log_prob(theta), Normal(*prior).log_prob(theta)
        psi = self.decode(torch.cat([theta, context], dim=-1))  # [B, K, D]
        hidden, _ = self.networks["cell"](torch.cat([features, theta], dim=-1), context)
        return EagerState(hidden, theta, psi, (log_q - log_p).sum())


def eager_twin(objective: NEMObjective) -> EagerMixture:
    """Return the twin of an objective, with copies of its networks.

    The objective's guide has to see the masked residual alone and to back-propagate through psi, as
    the paper's does; its bound has to be the ELBO of one draw.
    """
    model = objective.model
    guide: nn.Module = objective.guide  # type: ignore[assignment]  # guides are modules
    if isinstance(guide, GradientNEM):
        copied: nn.Module = copy.deepcopy(model.decoder)
        assert isinstance(copied, TiedDecoder)
        return EagerGradientNEM(
            copied,
            copy.deepcopy(guide.step_size),
            model.num_components,
            inter_weight=objective.inter_weight,
            gradient_gamma=guide.gradient_gamma,
        )
    assert isinstance(guide, (RNNEM, VRNN))
    encoder, cell = copy.deepcopy(guide.encoder), copy.deepcopy(guide.cell)
    decoder = plain_convolutions(model.decoder)
    if isinstance(guide, RNNEM):
        return EagerRNNEM(
            encoder,
            cell,
            decoder,
            model.num_components,
            inter_weight=objective.inter_weight,
            gradient_gamma=guide.gradient_gamma,
        )
    prior = copy.deepcopy(cast(RecurrentPrior, model.prior))
    posterior = nn.Sequential(copy.deepcopy(guide.layers), copy.deepcopy(guide.head))
    return EagerVRNN(
        {
            "encoder": encoder,
            "cell": cell,
            "decoder": decoder,
            "prior": nn.Sequential(prior.layers, prior.head),
            "posterior": posterior,
        },
        model.num_components,
        inter_weight=objective.inter_weight,
        gradient_gamma=guide.gradient_gamma,
    )


def plain_convolutions(network: nn.Module) -> nn.Module:
    """Return a copy whose upsampling convolutions are written as they are defined."""
    plain = copy.deepcopy(network)
    for parent in list(plain.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, UpsampleConv):
                upsample = nn.Upsample(scale_factor=2, mode="nearest")
                layers = nn.Sequential(upsample, nn.ZeroPad2d((1, 2, 1, 2)), child.conv)
                setattr(parent, name, layers)
    return plain
