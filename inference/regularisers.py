"""What stands beside the bound in the loss, and what it is made of."""

from __future__ import annotations

from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from models import Rollout, SpatialMixture, StateLaw
from pyro_nem.errors import ConfigError

__all__ = ["free_nats_penalty", "inter_cluster", "prior_of", "state_divergence"]


def inter_cluster(
    model: SpatialMixture, rollout: Rollout, observed: Tensor | None = None
) -> Tensor:
    """Return sum_ki (1 - gamma_ki) KL(black pixel || psi_ki) for each frame, [(S,) T, B], nats.

    It pushes components to be black where they are not responsible. It is no part of the model,
    so it stands beside the bound (Greff et al. 2017, section 3.4). Pixels that are missing, where
    ``observed`` [T, B, D] is False, do not count.
    """
    divergence = model.pixels.divergence_from_background(rollout.psi)  # [(S,) T, B, K, D]
    per_pixel = ((1.0 - rollout.gamma) * divergence).sum(-2)  # [(S,) T, B, D]
    return (per_pixel if observed is None else per_pixel * observed).sum(-1)


def state_divergence(model: SpatialMixture, rollout: Rollout) -> Tensor | None:
    """Return KL(q(theta_tk) || p(theta_tk | h_{t-1,k})) of each component, [(S,) T, B, K], in nats.

    The KL of a component that explains nothing goes to zero: it costs, and buys nothing. None for a
    guide of point masses, which has no density.

    Raises
    ------
    ConfigError
        If the model's prior is no diagonal Gaussian.
    """
    if rollout.posterior is None:
        return None
    divergence: Tensor = kl_divergence(
        Normal(*rollout.posterior), Normal(*prior_of(model, rollout))
    )
    return divergence.sum(-1)  # [(S,) T, B, K]


def prior_of(model: SpatialMixture, rollout: Rollout) -> StateLaw:
    """Return the model's prior of each state of a rollout, [(S,) T, B, K, H].

    Raises
    ------
    ConfigError
        If it is no diagonal Gaussian.
    """
    context = None if rollout.context is None else rollout.context.unsqueeze(-3)
    law = model.prior(context, (model.num_components, model.state_size), rollout.theta)
    while isinstance(law, Independent):
        law = law.base_dist
    if not isinstance(law, Normal):
        raise ConfigError(
            f"prior: the KL of each component is known for a diagonal Gaussian, got "
            f"{type(law).__name__}; give the model a RecurrentPrior, or a prior like it"
        )
    # [(S,) T, B, 1, K, H] without the place of the pixels
    return StateLaw(*(part.squeeze(-3).expand_as(rollout.theta) for part in (law.loc, law.scale)))


def free_nats_penalty(divergence: Tensor, free_nats: float) -> Tensor:
    """Return sum_k max(0, free_nats - KL_k), [..., K] -> [...], in nats.

    Added to a loss that holds KL_k it gives max(KL_k, free_nats): below that, a component may use
    its state for nothing. Source: Kingma et al. (2016), section 5, there averaged over the batch;
    here for each sequence, whose components are numbered by chance.
    """
    return (free_nats - divergence).clamp(min=0.0).sum(-1)
