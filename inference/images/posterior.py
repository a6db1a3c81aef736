"""The posterior over the latents of an image: the encoder of a variational autoencoder."""

from __future__ import annotations

from collections.abc import Sequence

import pyro
import pyro.distributions as dist
from torch import Generator, Tensor, nn

from inference.guides import DrawnNormal, ModelGuide
from inference.standard_normal import standard_normal
from models import ImageVAE, StateLaw, gaussian_head
from pyro_nem.networks import glorot_, perceptron

__all__ = ["ImagePosterior"]


class ImagePosterior(ModelGuide[ImageVAE]):
    """Parameterises q(z | x) = q(z_1 | x) prod_l q(z_l | z_{l-1}), each Normal and diagonal.

    Calling it is a Pyro program with the sites "z_1", ..., "z_L" of the model.

    Parameters
    ----------
    model
        What it inverts; its layers have the same sizes in the reverse order, and start
        alike.
    """

    def __init__(self, model: ImageVAE) -> None:
        super().__init__(model)
        inputs = (model.law_of_images.num_inputs, *model.latent_sizes)
        self.encoders = nn.ModuleList(
            nn.Sequential(
                perceptron(num_inputs, width, layers=model.layers, activation=nn.Tanh),
                nn.Linear(width, 2 * size),
            )
            for num_inputs, width, size in zip(
                inputs, model.widths, model.latent_sizes, strict=False
            )
        )
        if model.glorot_weights:
            self.encoders.apply(glorot_)

    def noise(
        self, images: int, particles: int = 1, generator: Generator | None = None
    ) -> tuple[Tensor, ...]:
        """Draw what the latents are made from, standard normal numbers [(S,) B, H_l] for each l.

        Parameters
        ----------
        images, particles
            B and S.
        generator
            Source of the draws, on the guide's device; None uses PyTorch's global one.
        """
        like = next(self.parameters())
        rows = (images,) if particles == 1 else (particles, images)
        return tuple(
            standard_normal((*rows, size), like, generator) for size in self.model.latent_sizes
        )

    def law(self, layer: int, below: Tensor) -> StateLaw:
        """Return q(z_l | z_{l-1}) for l = ``layer``, counted from 1, where z_0 is the image.

        Parameters
        ----------
        layer
            Which.
        below
            z_{l-1}, [..., H_{l-1}], or the image, [..., D].
        """
        known = self.model.law_of_images.features(below) if layer == 1 else below
        return gaussian_head(self.encoders[layer - 1](known))

    def forward(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> None:
        """Register the sites of a batch.

        Parameters
        ----------
        x
            Images, [B, D].
        noise
            See :meth:`noise`; without it Pyro draws, from PyTorch's global generator.
        """
        with pyro.plate("batch", len(x), dim=-1):
            z = x
            for layer in range(1, len(self.model.latent_sizes) + 1):
                law = self.law(layer, z)
                site = dist.Normal(*law)
                if noise is not None:
                    value = law.loc + law.scale * noise[layer - 1]
                    loc, scale = (part.expand_as(value) for part in law)
                    site = DrawnNormal(loc, scale, value)
                z = pyro.sample(f"z_{layer}", site.to_event(1))
