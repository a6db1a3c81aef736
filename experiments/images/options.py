"""The options of ``python -m experiments.run vae_mnist`` and ``iwae_mnist``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from experiments.cli import Choice, Count
from experiments.images.config import ImageExperimentName
from experiments.images.defaults import LayerCount, OptimizerName
from experiments.place_options import PlaceOptions
from experiments.scale import Scale
from experiments.training_options import TrainingOptions
from inference import Divergence, Estimator
from pyro_nem.checks import at_least
from pyro_nem.data import BinarizationName

__all__ = ["ImageOptions"]


@dataclass(frozen=True)
class _ImageOptions:
    """What only runs on images are asked."""

    experiment: tyro.conf.Positional[ImageExperimentName]
    """What to run: vae_mnist (20 latents, 500 hidden units, Kingma and Welling 2013) or iwae_mnist
    (50 latents, or 100 and 50, under the importance-weighted bound, Burda et al. 2015)."""

    scale: Annotated[Scale | None, Choice] = None
    """How large: smoke (seconds, only to see that it runs), laptop (minutes on two CPU cores) or
    paper (the published updates). Default: paper where PyTorch finds a CUDA device, else laptop."""

    binarization: Annotated[BinarizationName | None, Choice] = None
    """How grey levels become bits: dynamic (drawn anew each time that an image is seen) or fixed
    (the published files of bits). Default: dynamic."""

    layers: Annotated[LayerCount | None, Choice] = None
    """iwae_mnist: layers of latents. Default: 1."""

    latent_size: Count = None
    """H, the number of latents, where there is one layer of them. Default: 20 (vae_mnist) or 50."""

    width: Count = None
    """Size of the fully connected layers, where there is one layer of latents. Default: 500
    (vae_mnist) or 200."""

    objective: Annotated[Literal["elbo", "vae", "iwae"] | None, Choice] = None
    """The bound that is trained: elbo, vae (its name beside iwae) or iwae. Default: elbo for
    vae_mnist, iwae for iwae_mnist."""

    particles: Count = None
    """S, draws of the latents for each image. Default: 1, for iwae 50."""

    gradient: Annotated[Estimator | None, Choice] = None
    """Estimator of the bound's gradient: standard, stl (leaves out the score of q) or dreg (doubly
    reparameterised, for iwae). Default: dreg for iwae below the paper scale, else standard."""

    divergence: Annotated[Divergence | None, Choice] = None
    """The KL of the latents: sampled at the draws, or analytic. Default: analytic where the bound
    and the number of layers allow it."""

    optimizer: Annotated[OptimizerName | None, Choice] = None
    """adam or adagrad. Default: adam, for vae_mnist at the paper scale adagrad."""

    posterior_images: Count = None
    """Test images that posterior.nc describes, at most as many as are scored; 0 for no such file.
    Default: 100."""


# The help lists the options of the last base first.
@dataclass(frozen=True)
class ImageOptions(PlaceOptions, TrainingOptions, _ImageOptions):
    """Train a variational autoencoder on the digits of MNIST and bound their log-likelihood.

    Everything lands in one folder: config.json, metrics.jsonl, checkpoints/, figures/ and, at the
    end, posterior.nc, summary.json and report.html. Stop with Ctrl-C at any time and continue with
    --resume.
    """

    def __post_init__(self) -> None:
        at_least(0, **{"--posterior-images": self.posterior_images})
