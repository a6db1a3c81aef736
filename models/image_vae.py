"""Images under latents in one or more layers: the variational autoencoder's generative model."""

from __future__ import annotations

from collections.abc import Sequence

import pyro
import pyro.distributions as dist
import torch
from torch import Tensor, nn

from models.outputs import OutputLaw
from models.recurrent_prior import gaussian_head
from models.rollout import StateLaw
from pyro_nem.checks import at_least
from pyro_nem.data import ImageSet
from pyro_nem.errors import ConfigError
from pyro_nem.networks import glorot_, perceptron

__all__ = ["ImageVAE"]


class ImageVAE(nn.Module):
    """Parameterises p(x, z) = p(z_L) prod_l p(z_l | z_{l+1}) p(x | z_1) (Kingma and Welling 2013).

        p(z_L)           = Normal(0, 1)
        p(z_l | z_{l+1}) = Normal, a function of z_{l+1}      (Burda et al. 2015, with L = 2)
        p(x | z_1)       = output.law(decoder(z_1))

    Calling it is a Pyro program with the sites "z_L", ..., "z_1" and "x" in the plate "batch".

    Parameters
    ----------
    output
        The law of x, an nn.Module; see :class:`models.OutputLaw`. What trains on an ``ImageSet``
        wants one of bits.
    latent_sizes
        The sizes of z_1, next to the image, to z_L.
    widths
        Sizes of the fully connected tanh layers of what decodes z_1 to z_L, one for each.
    layers
        How many of them each has.
    glorot_weights
        Let the weights start as Glorot's and not as PyTorch's own; two layers learn faster so, one
        slower.

    Raises
    ------
    ConfigError
        If a size is below 1, or there are not as many widths as latents.
    """

    max_plate_nesting = 1

    def __init__(
        self,
        output: nn.Module,
        *,
        latent_sizes: Sequence[int] = (50,),
        widths: Sequence[int] = (200,),
        layers: int = 2,
        glorot_weights: bool = False,
    ) -> None:
        super().__init__()
        if not latent_sizes or len(widths) != len(latent_sizes):
            raise ConfigError(
                "widths: expected one for each of the latents, of which there is at least one, got "
                f"{len(widths)} for {len(latent_sizes)}"
            )
        at_least(1, latent_sizes=min(latent_sizes), widths=min(widths), layers=layers)
        self.output = output
        self.latent_sizes = tuple(latent_sizes)
        self.widths = tuple(widths)
        self.layers = layers
        below = (self.law_of_images.num_parameters, *(2 * size for size in latent_sizes))
        self.decoders = nn.ModuleList(
            nn.Sequential(
                perceptron(size, width, layers=layers, activation=nn.Tanh),
                nn.Linear(width, num_outputs),
            )
            for size, width, num_outputs in zip(latent_sizes, widths, below, strict=False)
        )
        self.glorot_weights = glorot_weights
        if glorot_weights:
            self.decoders.apply(glorot_)

    @property
    def law_of_images(self) -> OutputLaw:
        """The law of x."""
        output: OutputLaw = self.output  # type: ignore[assignment]  # an nn.Module with its methods
        return output

    def check(self, data: ImageSet) -> None:
        """Check that images have the size that the model describes.

        Raises
        ------
        ConfigError
            If they have another number of pixels.
        """
        size = self.law_of_images.size
        if data.size != size:
            raise ConfigError(
                f"{data.name}: has {data.size} pixels an image, but the model's output law {size}; "
                f"build it with size={data.size}"
            )

    def forward(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> None:
        """Register the sites of a batch.

        Parameters
        ----------
        x
            Images, [B, D].
        noise
            The guide's; Pyro gives both programs the same arguments.
        """
        with pyro.plate("batch", len(x), dim=-1):
            z = self._latents(x)
            pyro.sample("x", self.law_of_images.law(self.decode(z)), obs=x)

    def imagine(self, count: int) -> Tensor:
        """Draw latents from their prior, as a Pyro program, and return the mean images [count, D].

        The bits of an image are drawn from these means; pictures show the means, as is usual.
        """
        like = next(self.parameters())
        with pyro.plate("batch", count, dim=-1):
            return self.mean_image(self._latents(like.new_zeros(count, 1)))

    def prior_law(self, layer: int, above: Tensor) -> StateLaw:
        """Return p(z_l | z_{l+1}) for l = ``layer``, counted from 1.

        Parameters
        ----------
        layer
            Below L; z_L is standard normal.
        above
            z_{l+1}, [..., H_{l+1}].
        """
        return gaussian_head(self.decoders[layer](above))

    def decode(self, z: Tensor) -> Tensor:
        """Return the numbers that the output law takes, z_1 [..., H_1] -> [..., P]."""
        raw: Tensor = self.decoders[0](z)
        return raw

    def mean_image(self, z: Tensor) -> Tensor:
        """Return E[x | z_1], [..., H_1] -> [..., D]."""
        mean: Tensor = self.law_of_images.law(self.decode(z)).mean
        return mean

    def descend(self, z: Tensor) -> Tensor:
        """Return the mean image of z_L, with the means of what is below, [..., H_L] -> [..., D]."""
        for layer in reversed(range(1, len(self.latent_sizes))):
            z = self.prior_law(layer, z).loc
        return self.mean_image(z)

    def _latents(self, like: Tensor) -> Tensor:
        """Register the sites of the latents from the top, and return z_1."""
        top = len(self.latent_sizes)
        zeros = like.new_zeros(len(like), self.latent_sizes[-1])
        law = StateLaw(zeros, torch.ones_like(zeros))
        z: Tensor = pyro.sample(f"z_{top}", dist.Normal(*law).to_event(1))
        for layer in reversed(range(1, top)):
            z = pyro.sample(f"z_{layer}", dist.Normal(*self.prior_law(layer, z)).to_event(1))
        return z
