"""The training loss of a model of images."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from torch import Generator, Tensor, nn

from inference.bound_config import BoundConfig
from inference.bounds import EnumeratedBound, combine
from inference.images.posterior import ImagePosterior
from models import ImageVAE
from pyro_nem.errors import ConfigError

__all__ = ["ImageLoss", "ImageObjective"]


class ImageLoss(NamedTuple):
    """The loss of a batch and its parts.

    Attributes
    ----------
    loss
        The scalar to minimise, nats an image: minus the mean of the bounds.
    bound
        The bound on log p(x) of each image, [B], in nats.
    divergence
        log q(z) - log p(z) at the draws, or the KL in closed form, [S, B].
    log_weights
        log p(x, z) / q(z) of each draw (with its KL in closed form if so asked), [S, B].
    """

    loss: Tensor
    bound: Tensor
    divergence: Tensor
    log_weights: Tensor


class ImageObjective(nn.Module):
    """The loss of a model of images: minus a bound on log p(x), nats an image.

    See :class:`inference.EnumeratedBound` for the bounds elbo, vae and iwae and for the estimators
    of their gradients.

    Parameters
    ----------
    model, guide
        The Pyro program and its guide.
    bound
        Which bound and gradient; if not given the ELBO, with its KL in closed form where there is a
        single layer of latents.

    Raises
    ------
    ConfigError
        If parts of the bound exclude each other, or the model has none such.
    """

    def __init__(
        self, model: ImageVAE, guide: ImagePosterior, *, bound: BoundConfig | None = None
    ) -> None:
        super().__init__()
        closed = len(model.latent_sizes) == 1
        usual = BoundConfig(divergence="analytic" if closed else "sampled")
        self.bound = usual if bound is None else bound
        self.model = model
        self.guide = guide
        if guide.model is not model:
            raise ConfigError("guide: it was built for another model; build it with this one")
        if self.bound.objective == "trace_enum":
            raise ConfigError(
                "objective: trace_enum is for models with enumerated sites, and models of images "
                "have none; use elbo, which is the same"
            )
        if self.bound.objective == "fivo":
            raise ConfigError(
                "objective: fivo resamples the particles of sequence models (inference.sequences) "
                "from step to step; images have no steps; use iwae"
            )
        if self.bound.kl_warmup or self.bound.free_nats:
            raise ConfigError("kl_warmup, free_nats: are not for models of images; leave them out")
        if self.bound.divergence == "analytic" and not closed:
            # KL(q(z_1 | x) || p(z_1 | z_2)) at a draw of z_2 is no part of the bound, because z_2
            # was drawn from z_1.
            raise ConfigError(
                "divergence: with several layers of latents the KL has no closed form; use sampled"
            )
        # Contradictions show now and not in the first update.
        self._enumerated_bound(self.bound.particles)

    def forward(
        self, x: Tensor, generator: Generator | None = None, particles: int | None = None
    ) -> ImageLoss:
        """Draw latents and return the loss of a batch.

        Parameters
        ----------
        x
            Images, [B, D].
        generator
            Source of the guide's draws.
        particles
            S, in place of the one that the objective was built with.
        """
        particles = self.bound.particles if particles is None else particles
        enumerated = self._enumerated_bound(particles)
        noise = self.guide.noise(len(x), particles, generator)
        parts = enumerated.terms(self.model, self.guide, x, noise)
        log_weights = enumerated.weigh(parts)
        bound = self.combine(log_weights)
        return ImageLoss(-bound.mean(), bound, parts.divergence.sum(1), log_weights)

    def combine(self, log_weights: Tensor) -> Tensor:
        """Return the bound [B] of log-weights [S, B]; see :class:`ImageLoss`."""
        return combine(cast(Any, self.bound.objective), log_weights)

    def _enumerated_bound(self, particles: int) -> EnumeratedBound:
        return EnumeratedBound(
            cast(Any, self.bound.objective),
            particles=particles,
            gradient=self.bound.gradient,
            divergence=self.bound.divergence,
            max_plate_nesting=self.model.max_plate_nesting,
        )
