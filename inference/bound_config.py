"""Which bound is trained, as settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from inference.bounds import Divergence, Estimator
from pyro_nem.checks import at_least, one_of
from pyro_nem.errors import ConfigError

__all__ = ["WEIGHTED", "BoundConfig", "ObjectiveName"]

ObjectiveName = Literal["trace_enum", "elbo", "vae", "iwae", "fivo"]

WEIGHTED: Final = ("iwae", "fivo")
"""The importance-weighted objectives, which have no KL of their own."""


@dataclass(frozen=True)
class BoundConfig:
    """Which bound on log p(x) is trained, and how its gradient is estimated."""

    objective: ObjectiveName = "elbo"
    """elbo, vae (another name for it beside iwae), iwae, or of sequence models fivo (iwae whose
    particles are resampled), all by our own enumeration, or trace_enum: Pyro's TraceEnum_ELBO,
    which gives the same as elbo and is the reference."""

    particles: int = 1
    """S, draws of a stochastic guide for each sequence; for fivo at least 2."""

    gradient: Estimator = "standard"
    """standard, stl (leaves out the score of q) or dreg (doubly reparameterised, for iwae)."""

    divergence: Divergence = "sampled"
    """KL of a stochastic guide from the prior: sampled at its draws, or analytic."""

    kl_warmup: int = 0
    """Updates over which the weight of the KL rises linearly to 1 (elbo and vae); 0 for none."""

    free_nats: float = 0.0
    """KL of each component and step, in nats, that costs nothing in training (elbo and vae)."""

    resample: float = 0.5
    """Share of S; particles are resampled where their effective number is below it (fivo)."""

    def __post_init__(self) -> None:
        one_of(ObjectiveName, objective=self.objective)
        one_of(Estimator, gradient=self.gradient)
        one_of(Divergence, divergence=self.divergence)
        at_least(1, particles=self.particles)
        if self.kl_warmup < 0:
            raise ConfigError(f"kl_warmup: expected 0 or more updates, got {self.kl_warmup}")
        if not (math.isfinite(self.free_nats) and self.free_nats >= 0.0):
            raise ConfigError(f"free_nats: expected a number >= 0, got {self.free_nats}")
        if self.objective in WEIGHTED and (self.kl_warmup or self.free_nats):
            # Its weights charge less than the whole KL, so that taking some off would reward it.
            raise ConfigError(
                "kl_warmup, free_nats: the importance-weighted bound has no KL of its own to "
                "weigh; leave them out, or train elbo first"
            )
        others = {"trace_enum": "elbo", "fivo": "iwae"}
        if self.objective in others and (self.gradient, self.divergence) != (
            "standard",
            "sampled",
        ):
            raise ConfigError(
                f"objective: {self.objective} has gradient standard and divergence sampled only, "
                f"got {self.gradient} and {self.divergence}; use {others[self.objective]}"
            )
        if self.objective == "fivo" and self.particles < 2:
            raise ConfigError(
                f"particles: fivo resamples among at least 2, got {self.particles}, which has the "
                "sampled elbo; choose more, or objective elbo"
            )
        if not 0.0 < self.resample <= 1.0:
            raise ConfigError(f"resample: expected a share in (0, 1], got {self.resample}")
        if self.objective != "fivo" and self.resample != BoundConfig.resample:
            raise ConfigError(
                f"resample: has no effect on {self.objective}, whose particles are never "
                "resampled; leave it out, or use objective fivo"
            )

    def kl_weight(self, update: int) -> float:
        """Return the weight of the KL in an update, counted from 0."""
        return min(1.0, (update + 1) / self.kl_warmup) if self.kl_warmup else 1.0

    def adjusts_kl(self, update: int | None) -> bool:
        """Return whether warm-up or free nats change the loss of an update; None is no training."""
        return update is not None and (self.free_nats > 0.0 or self.kl_weight(update) < 1.0)
