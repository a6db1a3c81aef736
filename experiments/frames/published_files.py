"""The data files of the papers, found by the names under which they were published.

Source: the configurations of the released code of Greff et al. (2017) and of van Steenkiste et al.
(2018), whose files are downloaded by hand.
"""

from __future__ import annotations

from pathlib import Path

from pyro_nem.errors import ConfigError, DataError

__all__ = ["is_published", "published_file", "published_name"]

# What is asked for, by experiment -> the file's name without its ending.
_FILES = {
    "static_shapes": {"3 objects, 1 frame": "shapes"},
    "flying_shapes": {
        "3 objects, 1 frame": "shapes",
        "3 objects": "flying_shapes",
        "4 objects": "flying_shapes_4",
        "5 objects": "flying_shapes_5",
    },
    "flying_mnist": {
        "2 objects, variant 20": "flying_mnist_medium20_2digits",
        "2 objects, variant 500": "flying_mnist_medium500_2digits",
        "2 objects, variant full, 1 frame": "mnist_2digits_downsampled",
        "2 objects, variant full": "flying_mnist_hard_2digits",
        "2 objects, variant full, 51 frames": "flying_mnist_hard_2digits_51",
        "3 objects, variant full": "flying_mnist_hard_3digits",
    },
    "bouncing_balls": {"4 objects": "balls4mass64", "6 to 8 objects": "balls678mass64"},
    "bouncing_balls_curtain": {"3 objects": "balls3curtain64"},
}
# Frames of a flying MNIST file that is not named after their number.
_FRAMES = 21


def published_file(
    folder: Path,
    experiment: str,
    *,
    objects: int,
    most_objects: int | None = None,
    variant: str | None = None,
    frames: int = _FRAMES,
) -> Path:
    """Return the published file of an experiment in a folder.

    Parameters
    ----------
    folder
        Where the user keeps the files.
    experiment
        Its name.
    objects, most_objects
        Objects in a sequence: exactly so many, or from the first number to the second.
    variant
        Of flying MNIST: 20, 500 or full.
    frames
        Frames that are needed: 1 chooses still images, more than 21 the longer of two files of
        flying MNIST.

    Raises
    ------
    ConfigError
        No such file was published.
    DataError
        It is not in the folder.
    """
    if experiment not in _FILES:
        raise ConfigError(
            f"--data-dir: no file of {experiment} was published; leave it out to generate the data"
        )
    asked = _in_words(experiment, objects, most_objects, variant, frames)
    files = _FILES[experiment]
    if asked not in files:
        raise ConfigError(
            f"--data-dir: no file of {experiment} with {asked} was published, only with "
            f"{' or '.join(files)}; choose one of them, name a file with --data, or generate the "
            "data"
        )
    path = folder / f"{files[asked]}.h5"
    if not path.is_file():
        there = sorted(p.name for p in folder.glob("*.h5"))
        raise DataError(
            f"--data-dir {folder}: expected {path.name}, the published file of {experiment} with "
            f"{asked}, found {', '.join(there) or 'no .h5 file'}; download it, or name another "
            "file with --data"
        )
    return path


def published_name(
    experiment: str,
    *,
    objects: int,
    most_objects: int | None = None,
    variant: str | None = None,
    frames: int = _FRAMES,
) -> str | None:
    """Return the name of such a file, None if there is none; see :func:`published_file`."""
    asked = _in_words(experiment, objects, most_objects, variant, frames)
    name = _FILES.get(experiment, {}).get(asked)
    return None if name is None else f"{name}.h5"


def _in_words(
    experiment: str, objects: int, most_objects: int | None, variant: str | None, frames: int
) -> str:
    asked = f"{objects} objects" if most_objects is None else f"{objects} to {most_objects} objects"
    if experiment == "flying_mnist":
        asked += f", variant {variant}" + (", 51 frames" if frames > _FRAMES else "")
    return f"{asked}, 1 frame" if frames == 1 else asked


def is_published(path: Path) -> bool:
    """Return whether a file has the name of a published one."""
    return any(path.name == f"{name}.h5" for files in _FILES.values() for name in files.values())
