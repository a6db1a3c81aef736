"""What a guide hands to the model: its states, and what was computed on the way to them."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

__all__ = ["Rollout", "StateLaw"]


class StateLaw(NamedTuple):
    """A diagonal Gaussian over component states, loc and scale both [..., K, H]."""

    loc: Tensor
    scale: Tensor


class Rollout(NamedTuple):
    """The component states of T steps, with what was computed on the way to them.

    A recurrent guide decodes psi at each step, because its E-step needs it. Decoding is over half
    of the cost of a step, so the model takes psi from here instead of decoding theta again.

    The particle axis S stands leftmost, and only where a stochastic guide drew several.

    Attributes
    ----------
    theta
        States of the components, shape [(S,) T, B, K, H].
    psi
        Parameters of the components' pixels, the model's ``decode(theta, context)``,
        [(S,) T, B, K, D, C].
    gamma
        Responsibilities p(z | psi_t, x_{t+1}), summing to one over K, [(S,) T, B, K, D].
    initial_gamma
        The random responsibilities that the recurrence starts from, the same for all particles,
        [B, K, D].
    context
        What the model's prior and decoder know of the past, h_{t-1}, [(S,) T, B, K, G]; None where
        the prior knows nothing.
    posterior
        The law q(theta_t) that theta was drawn from, [(S,) T, B, K, H]; None where theta is a point
        mass.
    """

    theta: Tensor
    psi: Tensor
    gamma: Tensor
    initial_gamma: Tensor
    context: Tensor | None = None
    posterior: StateLaw | None = None

    def detach(self) -> Rollout:
        """Return the same values without their gradient."""
        law = self.posterior
        return Rollout(
            theta=self.theta.detach(),
            psi=self.psi.detach(),
            gamma=self.gamma.detach(),
            initial_gamma=self.initial_gamma.detach(),
            context=None if self.context is None else self.context.detach(),
            posterior=None if law is None else StateLaw(law.loc.detach(), law.scale.detach()),
        )

    def at(self, steps: Tensor) -> Rollout:
        """Return the rollout of the chosen steps, a LongTensor of indices."""
        law = self.posterior
        return self._replace(
            theta=self.theta.index_select(-4, steps),
            psi=self.psi.index_select(-5, steps),
            gamma=self.gamma.index_select(-4, steps),
            context=None if self.context is None else self.context.index_select(-4, steps),
            posterior=None
            if law is None
            else StateLaw(law.loc.index_select(-4, steps), law.scale.index_select(-4, steps)),
        )
