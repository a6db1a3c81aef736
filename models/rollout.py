"""What a guide hands to the model: its states, and the pixels that it has already decoded."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

__all__ = ["Rollout"]


class Rollout(NamedTuple):
    """The component states of T steps, with what was computed on the way to them.

    A recurrent guide decodes psi at each step, because its E-step needs it. Decoding is over half
    of the cost of a step, so the model takes psi from here instead of decoding theta again.

    Attributes
    ----------
    theta
        States of the components, in [0, 1], shape [T, B, K, H].
    psi
        Parameters of the components' pixels, the model's ``decode(theta)``, [T, B, K, D, C].
    gamma
        Responsibilities p(z | psi_t, x_{t+1}), summing to one over K, [T, B, K, D].
    initial_gamma
        The random responsibilities that the recurrence starts from, [B, K, D].
    """

    theta: Tensor
    psi: Tensor
    gamma: Tensor
    initial_gamma: Tensor

    def at(self, steps: slice | Tensor) -> Rollout:
        """Return the rollout of the chosen steps (a slice or a LongTensor of indices)."""
        return self._replace(theta=self.theta[steps], psi=self.psi[steps], gamma=self.gamma[steps])
