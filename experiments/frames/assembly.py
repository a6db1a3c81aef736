"""From settings to objects: the data file, and the objective with its networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from experiments.frames.config import BALLS, FrameExperiment
from experiments.frames.networks import model_and_guide
from inference import NEMObjective, RunDirectory, prepare
from inference.seeded import seeded
from pyro_nem.data import (
    BallsConfig,
    DigitsConfig,
    HDF5Frames,
    ShapesConfig,
    SpritesConfig,
    balls_file,
    digits_file,
    shapes_file,
    sprites_file,
)
from pyro_nem.errors import ConfigError

__all__ = ["build_objective", "check_same_frames", "data_file", "file_to_score"]


def data_file(
    settings: FrameExperiment, *, only: str | None = None, report: Callable[[str], None] = print
) -> Path:
    """Return the file of an experiment, generating its data into the cache the first time.

    Parameters
    ----------
    settings
        The experiment.
    only
        Generate just the ``settings.test_sequences`` first sequences of this split (they are the
        same as in the whole file), for a test on data that nothing is trained on.
    report
        Takes a line when a file is generated.
    """
    if settings.data is not None:
        return Path(settings.data)
    sizes = {
        "training": settings.training_sequences,
        "validation": settings.validation_sequences,
        "test": settings.test_sequences,
    }
    if settings.experiment in ("flying_shapes", "static_shapes"):
        # The published files of shapes hold 50,000, 10,000 and 10,000 sequences.
        held_out = min(10_000, settings.training_sequences)
        sizes.update(validation=held_out, test=held_out)
    if only is not None:
        sizes = {split: settings.test_sequences if split == only else 1 for split in sizes}
    if settings.experiment in BALLS:
        balls = BallsConfig(
            objects=settings.objects,
            most_objects=settings.most_objects,
            curtain=settings.experiment == "bouncing_balls_curtain",
            frames=settings.frames,
            **sizes,
        )
        return balls_file(balls, report)
    if settings.experiment == "sprites":
        sprites = SpritesConfig(
            objects=settings.objects,
            most_objects=settings.most_objects,
            frames=settings.frames,
            **sizes,
        )
        return sprites_file(sprites, report)
    if settings.experiment == "flying_mnist":
        digits = DigitsConfig(
            objects=settings.objects,
            variations=None if settings.variant in (None, "full") else int(settings.variant),
            frames=settings.frames,
            **sizes,
        )
        return digits_file(digits, report)
    config = ShapesConfig(objects=settings.objects, frames=settings.frames, **sizes)
    return shapes_file(config, report)


def file_to_score(
    settings: FrameExperiment, trained: FrameExperiment, split: str, *, trained_here: bool = True
) -> Path:
    """Return the file to test a run on, under its own conditions or others.

    Data that nothing was trained on here are generated for one split only.

    Parameters
    ----------
    settings
        The conditions of the test.
    trained
        Those of the run.
    split
        Which split is read.
    trained_here
        Whether the run was trained on this machine and not released by another.
    """
    names = ("objects", "most_objects", "variant", "frames", "data")
    same = all(getattr(settings, name) == getattr(trained, name) for name in names)
    if same and trained_here:
        return data_file(trained)
    return data_file(settings, only=split)


def check_same_frames(source: HDF5Frames, directory: RunDirectory) -> None:
    """Check that frames to test a run on have the size of those that it was trained on.

    Raises
    ------
    ConfigError
        If they have not.
    """
    trained_on = tuple(directory.read_config().get("image_shape", source.image_shape))
    if source.image_shape != trained_on:
        raise ConfigError(
            f"{source.name}: frames are {source.image_shape} (rows, columns, channels), but the "
            f"run was trained on {trained_on}; test on frames of that size"
        )


def build_objective(settings: FrameExperiment, image_shape: tuple[int, int, int]) -> NEMObjective:
    """Build model, guide and loss with weights drawn from the settings' seed.

    Parameters
    ----------
    settings
        The experiment.
    image_shape
        (rows, columns, C) of the frames.
    """
    # Modules draw their initial weights from PyTorch's global generator.
    with seeded(settings.training.seed):
        model, guide = model_and_guide(settings, image_shape)
    objective = NEMObjective(
        model,
        guide,
        inter_weight=settings.inter_weight,
        step_weights=settings.step_weights,
        bound=settings.bound,
    ).to(settings.device)
    prepare(objective, settings.execution)
    return objective
