"""The resolved settings of an experiment on images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from experiments.names import ImageExperimentName
from experiments.saved_settings import rebuilt
from experiments.scale import Scale
from inference import BoundConfig, TrainingConfig
from pyro_nem.data import BinarizationName

__all__ = ["ImageExperiment", "ImageExperimentName"]


@dataclass(frozen=True)
class ImageExperiment:
    """Everything that decides the numbers of a run; saved as ``config.json``."""

    experiment: ImageExperimentName
    """What is run."""

    scale: Scale
    """The scale whose defaults the settings started from."""

    binarization: BinarizationName
    """How grey levels become bits: drawn anew each time (dynamic) or once (fixed)."""

    latent_sizes: tuple[int, ...]
    """The sizes of z_1, next to the image, to z_L."""

    widths: tuple[int, ...]
    """Sizes of the fully connected layers that belong to each of them."""

    depth: int
    """How many fully connected layers lie before each head."""

    glorot: bool
    """Whether weights start as Glorot's, in the place of PyTorch's own, smaller ones."""

    bound: BoundConfig
    """Which bound is trained."""

    particles: tuple[int, ...]
    """Numbers of draws of the test bounds."""

    likelihood_particles: int
    """Draws of the test bound that stands for the likelihood."""

    likelihood_images: int | None
    """So many test images get that bound; all if None."""

    training_images: int | None
    """Train on so many images only."""

    validation_images: int | None
    """Validate on so many images only."""

    test_images: int | None
    """Test on so many images only."""

    training: TrainingConfig
    """Optimiser, schedule and seed."""

    device: str
    """Where it runs: cpu, cuda, cuda:1, ..."""

    @property
    def layers(self) -> int:
        """L, the number of layers of latents."""
        return len(self.latent_sizes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, strings, lists and dictionaries, as for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], source: str) -> ImageExperiment:
        """Rebuild the settings from :meth:`to_dict` after a journey through JSON.

        Raises
        ------
        CheckpointError
            If the fields are not those of this version.
        """
        parts: dict[str, Callable[[Any], Any]] = {
            "bound": lambda part: BoundConfig(**part),
            "training": lambda part: TrainingConfig(**part),
            **dict.fromkeys(("latent_sizes", "widths", "particles"), tuple),
        }
        return rebuilt(cls, content, source, parts)
