"""Which bound is trained, as settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from inference.bounds import Divergence, Estimator
from pyro_nem.checks import at_least, one_of
from pyro_nem.errors import ConfigError

__all__ = ["BoundConfig", "ObjectiveName"]

ObjectiveName = Literal["trace_enum", "elbo", "vae", "iwae"]


@dataclass(frozen=True)
class BoundConfig:
    """Which bound on log p(x) is trained, and how its gradient is estimated."""

    objective: ObjectiveName = "elbo"
    """elbo, vae (another name for it beside iwae) or iwae, all by our own enumeration, or
    trace_enum: Pyro's TraceEnum_ELBO, which gives the same as elbo and is the reference."""

    particles: int = 1
    """S, draws of a stochastic guide for each sequence."""

    gradient: Estimator = "standard"
    """standard, stl (leaves out the score of q) or dreg (doubly reparameterised, for iwae)."""

    divergence: Divergence = "sampled"
    """KL of a stochastic guide from the prior: sampled at its draws, or analytic."""

    kl_warmup: int = 0
    """Updates over which the weight of the KL rises linearly to 1 (elbo and vae); 0 for none."""

    free_nats: float = 0.0
    """KL of each component and step, in nats, that costs nothing in training (elbo and vae)."""

    def __post_init__(self) -> None:
        one_of(ObjectiveName, objective=self.objective)
        one_of(Estimator, gradient=self.gradient)
        one_of(Divergence, divergence=self.divergence)
        at_least(1, particles=self.particles)
        if self.kl_warmup < 0:
            raise ConfigError(f"kl_warmup: expected 0 or more updates, got {self.kl_warmup}")
        if not (math.isfinite(self.free_nats) and self.free_nats >= 0.0):
            raise ConfigError(f"free_nats: expected a number >= 0, got {self.free_nats}")
        if self.objective == "iwae" and (self.kl_warmup or self.free_nats):
            # Its weights charge less than the whole KL, so that taking some off would reward it.
            raise ConfigError(
                "kl_warmup, free_nats: the importance-weighted bound has no KL of its own to "
                "weigh; leave them out, or train elbo first"
            )
        if self.objective == "trace_enum" and (self.gradient, self.divergence) != (
            "standard",
            "sampled",
        ):
            raise ConfigError(
                "objective: trace_enum has gradient standard and divergence sampled only, got "
                f"{self.gradient} and {self.divergence}; use elbo"
            )

    def kl_weight(self, update: int) -> float:
        """Return the weight of the KL in an update, counted from 0."""
        return min(1.0, (update + 1) / self.kl_warmup) if self.kl_warmup else 1.0

    def adjusts_kl(self, update: int | None) -> bool:
        """Return whether warm-up or free nats change the loss of an update; None is no training."""
        return update is not None and (self.free_nats > 0.0 or self.kl_weight(update) < 1.0)
