"""The training loss: Pyro's TraceEnum ELBO with the inter-cluster regulariser beside it."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from pyro.infer import TraceEnum_ELBO
from torch import Generator, Tensor, nn

from inference.guides import Guide
from models import Rollout, SpatialMixture
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError

__all__ = ["LossTerms", "NEMObjective", "StepWeights", "inter_cluster", "resolve_step_weights"]

StepWeights = Literal["all", "last"] | tuple[float, ...]


class LossTerms(NamedTuple):
    """The loss of a batch and its parts, in nats a sequence, with the guide's rollout.

    Attributes
    ----------
    loss
        ``negative_bound + inter_weight * inter``, the scalar to minimise.
    negative_bound
        The step-weighted negative ELBO, averaged over the batch.
    inter
        The step-weighted inter-cluster term, averaged over the batch.
    rollout
        What the guide computed, for metrics and figures.
    """

    loss: Tensor
    negative_bound: Tensor
    inter: Tensor
    rollout: Rollout


def resolve_step_weights(weights: StepWeights, steps: int) -> tuple[float, ...]:
    """Return one weight for each of T steps.

    Parameters
    ----------
    weights
        "all" (1 for each step, the paper's choice for sequences), "last" (only the last step
        counts, its choice for static images), or a tuple of T numbers.
    steps
        T.

    Raises
    ------
    ConfigError
        If a list has another length than T, a negative or non-finite entry, or only zeros.
    """
    if weights == "all":
        return (1.0,) * steps
    if weights == "last":
        return (0.0,) * (steps - 1) + (1.0,)
    values = tuple(float(w) for w in weights)
    if len(values) != steps:
        raise ConfigError(f"step_weights: expected {steps} weights, one a step, got {len(values)}")
    if not all(0.0 <= w < float("inf") for w in values) or not any(values):
        raise ConfigError(
            f"step_weights: expected finite weights >= 0, not all zero, got {list(values)}"
        )
    return values


def inter_cluster(
    model: SpatialMixture, rollout: Rollout, observed: Tensor | None = None
) -> Tensor:
    """Return sum_ki (1 - gamma_ki) KL(black pixel || psi_ki) for each frame, [T, B], in nats.

    It pushes components to be black where they are not responsible. It is no part of the model,
    so it stands beside the bound (Greff et al. 2017, section 3.4). Pixels that are missing, where
    ``observed`` [T, B, D] is False, do not count.
    """
    divergence = model.pixels.divergence_from_background(rollout.psi)  # [T, B, K, D]
    per_pixel = ((1.0 - rollout.gamma) * divergence).sum(-2)  # [T, B, D]
    return (per_pixel if observed is None else per_pixel * observed).sum(-1)


class NEMObjective(nn.Module):
    """The loss of neural expectation maximization, summed over steps, averaged over the batch.

    sum_t w_t (-log p(x_{t+1} | psi_t) + inter_weight * inter_t), where the first part is
    ``TraceEnum_ELBO()(model, guide)``: under a guide of Delta states and the uniform prior of the
    model it is the exact log-likelihood of the mixture, and its gradient is the gradient of EM's
    expected log-likelihood with gamma held fixed (Fisher's identity).

    Parameters
    ----------
    model, guide
        The Pyro program and its guide.
    inter_weight
        Weight of the inter-cluster term, >= 0 (1 in the paper; 0.2 for flying MNIST).
    step_weights
        See :func:`resolve_step_weights`.

    Raises
    ------
    ConfigError
        If ``inter_weight`` is negative or not finite.
    """

    def __init__(
        self,
        model: SpatialMixture,
        guide: nn.Module,
        *,
        inter_weight: float = 1.0,
        step_weights: StepWeights = "all",
    ) -> None:
        super().__init__()
        if not 0.0 <= inter_weight < float("inf"):
            raise ConfigError(f"inter_weight: expected a finite number >= 0, got {inter_weight}")
        if getattr(guide, "model", model) is not model:
            raise ConfigError(
                "guide: it was built for another model, whose decoder it would use; build it with "
                "the model that is given here"
            )
        elbo = TraceEnum_ELBO(max_plate_nesting=model.max_plate_nesting)
        self.negative_elbo = elbo(model, guide)
        self.inter_weight = inter_weight
        self.step_weights = step_weights

    @property
    def model(self) -> SpatialMixture:
        """The Pyro program."""
        model: SpatialMixture = self.negative_elbo.model
        return model

    @property
    def guide(self) -> Guide:
        """Its guide."""
        guide: Guide = self.negative_elbo.guide
        return guide

    def forward(self, clip: Clip, generator: Generator | None = None) -> LossTerms:
        """Run the guide and return the loss of a clip.

        Parameters
        ----------
        clip
            Noisy inputs and clean targets, [T, B, D, C].
        generator
            Source of the guide's initial responsibilities.
        """
        steps, batch = clip.targets.shape[:2]
        weights = resolve_step_weights(self.step_weights, steps)
        rollout: Rollout = self.guide.rollout(clip, generator)
        negative_bound = clip.targets.new_zeros(())
        inter = clip.targets.new_zeros(())
        # Pyro's enumeration allows no real scale within a model, so steps of equal weight form
        # one bound each; given the states, the steps are independent.
        for weight in sorted(set(weights) - {0.0}):
            chosen = [t for t, w in enumerate(weights) if w == weight]
            part_clip, part_rollout = _at(clip, rollout, chosen)
            part = self._negative_elbo(part_clip, part_rollout)
            negative_bound = negative_bound + weight * part / batch
            if self.inter_weight > 0.0:
                per_frame = inter_cluster(
                    self.model, part_rollout, part_clip.observed
                )  # [T chosen, B]
                inter = inter + weight * per_frame.sum() / batch
        loss = negative_bound + self.inter_weight * inter
        return LossTerms(loss, negative_bound, inter, rollout)

    def _negative_elbo(self, clip: Clip, rollout: Rollout) -> Tensor:
        if torch.is_grad_enabled():
            value: Tensor = self.negative_elbo(clip, rollout)
            return value
        # Pyro's differentiable loss refuses to run without gradients; its plain one does not.
        elbo = self.negative_elbo.elbo
        return clip.targets.new_tensor(elbo.loss(self.model, self.guide, clip, rollout))


def _at(clip: Clip, rollout: Rollout, chosen: list[int]) -> tuple[Clip, Rollout]:
    if len(chosen) == clip.targets.shape[0]:
        return clip, rollout
    steps = torch.tensor(chosen, device=clip.targets.device)
    return clip.at(steps), rollout.at(steps)
