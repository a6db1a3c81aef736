"""Small images on disk, shared by the tests of what users bring."""

import numpy as np
from PIL import Image


def videos(count=10, frames=3, rows=8, columns=12, channels=3, seed=0):
    """Return random frames [N, T, rows, columns, C] and ids [N, T, rows, columns], both uint8."""
    generator = np.random.default_rng(seed)
    shape = (count, frames, rows, columns)
    values = generator.integers(0, 256, (*shape, channels), np.uint8)
    return values, generator.integers(0, 4, shape, np.uint8)


def save(path, array, mode=None):
    """Write an array as an image; P makes it an indexed one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array)
    if mode == "P":
        image = Image.fromarray(array, "L").convert("P")
        image.putdata(array.ravel().tolist())
    elif mode is not None:
        image = image.convert(mode)
    image.save(path)


def save_videos(folder, values, suffix="png", mode=None):
    """Write `[N, T, rows, columns(, C)]` as a folder of images for each video."""
    for number, video in enumerate(values):
        for time, frame in enumerate(video):
            # Not padded: names have to be sorted by their numbers.
            save(folder / f"video{number}" / f"{time}.{suffix}", frame, mode)
