"""From settings to objects: the data, and the objective with its networks."""

from __future__ import annotations

from experiments.images.config import ImageExperiment
from inference.images import ImageObjective, ImagePosterior
from inference.seeded import seeded
from models import BernoulliOutput, ImageVAE
from pyro_nem.data import BinaryMNIST, ImageSet, binary_mnist

__all__ = ["build_objective", "load_data"]


def load_data(settings: ImageExperiment) -> BinaryMNIST:
    """Return the data of an experiment, downloaded the first time."""

    def part(split: ImageSet, count: int | None) -> ImageSet:
        return split if count is None else split.first(count)

    found = binary_mnist(settings.binarization)
    return BinaryMNIST(
        part(found.training, settings.training_images),
        part(found.validation, settings.validation_images),
        part(found.test, settings.test_images),
    )


def build_objective(settings: ImageExperiment, training: ImageSet) -> ImageObjective:
    """Build model, guide and bound with weights drawn from the settings' seed.

    Parameters
    ----------
    settings
        The experiment.
    training
        Its mean is what the model starts from.
    """
    # Modules draw their initial weights from PyTorch's global generator.
    with seeded(settings.training.seed):
        model = ImageVAE(
            BernoulliOutput(training.size, training.mean()),
            latent_sizes=settings.latent_sizes,
            widths=settings.widths,
            layers=settings.depth,
            glorot_weights=settings.glorot,
        )
        guide = ImagePosterior(model)
    return ImageObjective(model, guide, bound=settings.bound).to(settings.device)
