"""Images and videos of three binary shapes: generation, fully determined by a seed.

The data of the N-EM paper's static shapes (`frames=1`) and flying shapes experiments, whose
generator was never published. What is known comes from the predecessor's generator and from a
decoded illustration of the released code: the bitmaps, the uniform start positions and
the bounce are facts, the uniform law of the velocities is an assumption.

Departure: the published labels may keep an object's id where objects overlap. Here overlaps get
group 0, because the paper scores neither background nor overlap.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data.canvas import Canvas
from pyro_nem.data.generator_checks import check_generator
from pyro_nem.data.layout import FrameBlock
from pyro_nem.data.motion import bounce
from pyro_nem.data.seeded_blocks import seeded_blocks

__all__ = ["BITMAPS", "Scene", "ShapesConfig", "draw_scene", "generate_shapes", "render", "track"]

_SQUARE: Final = """
#######
#######
##...##
##...##
##...##
#######
#######
"""
_TRIANGLE: Final = """
.....##.....
....####....
...######...
..###..###..
.###....###.
############
############
"""

# Sequences that share a random generator. A split is always drawn in blocks of this size, so its
# first sequences do not depend on how many follow. Changing it changes the data: raise
# `pyro_nem.data.cache.FORMAT_VERSION` with it.
_BLOCK: Final = 512


def _bitmap(drawing: str) -> NDArray[np.bool_]:
    """Return a drawing's `#` as a read-only array `[rows, columns]`."""
    bitmap = np.array([[mark == "#" for mark in line] for line in drawing.split()])
    bitmap.setflags(write=False)
    return bitmap


BITMAPS: Final = (_bitmap(_SQUARE), _bitmap(_TRIANGLE), _bitmap(_TRIANGLE)[::-1])
"""Square, triangle and inverted triangle; each `[rows, columns]`, with 40, 48 and 48 pixels on."""

_HEIGHT: Final = max(bitmap.shape[0] for bitmap in BITMAPS)
_WIDTH: Final = max(bitmap.shape[1] for bitmap in BITMAPS)


@dataclass(frozen=True)
class ShapesConfig:
    """What a file of shapes holds. Two equal configurations give the same file."""

    objects: int = 3
    """Shapes in each sequence, drawn with repetition from the three bitmaps."""
    frames: int = 21
    """Frames of each sequence; 1 gives static images."""
    rows: int = 28
    """Height of the image in pixels."""
    columns: int = 28
    """Width of the image in pixels."""
    training: int = 50_000
    """Sequences to train on."""
    validation: int = 10_000
    """Sequences for validation."""
    test: int = 10_000
    """Sequences for the final test."""
    seed: int = 0
    """Seed of all three splits, which draw from separate streams."""

    def __post_init__(self) -> None:
        # The image has to hold the largest shape.
        check_generator(self, {"rows": _HEIGHT, "columns": _WIDTH, "seed": 0})


class Scene(NamedTuple):
    """The random part of some sequences of `n` objects."""

    kinds: NDArray[np.int64]
    """Index into `BITMAPS`; shape `[B, n]`."""
    starts: NDArray[np.int64]
    """Row and column of the top left corner in frame 0; shape `[B, n, 2]`."""
    velocities: NDArray[np.int64]
    """Pixels a frame along rows and columns, each in {-1, 0, 1}; shape `[B, n, 2]`."""


def draw_scene(config: ShapesConfig, num_sequences: int, generator: np.random.Generator) -> Scene:
    """Draw kinds and velocities uniformly, and starts uniformly among those inside the image."""
    pairs = (num_sequences, config.objects)
    kinds = generator.integers(0, len(BITMAPS), pairs)  # [B, n]
    starts = generator.integers(0, _room(config, kinds) + 1)  # [B, n, 2]
    velocities = generator.integers(-1, 2, (*pairs, 2))  # [B, n, 2]
    return Scene(kinds, starts, velocities)


def track(config: ShapesConfig, scene: Scene) -> NDArray[np.int64]:
    """Return the top left corner of every object in every frame; shape `[T, B, n, 2]`.

    Objects bounce at the border, see `bounce`.
    """
    return bounce(scene.starts, scene.velocities, _room(config, scene.kinds), config.frames)


def render(config: ShapesConfig, scene: Scene) -> FrameBlock:
    """Draw a scene: the union of its shapes, labelled where exactly one shape is.

    Returns
    -------
    FrameBlock
        uint8 features in {0, 1}, `[T, B, rows, columns, 1]`; uint8 groups of the same shape, the
        object's id from 1 to n, or 0 on background and overlap.
    """
    corners = track(config, scene)  # [T, B, n, 2]
    frames, sequences, objects, _ = corners.shape
    canvas = Canvas(frames, sequences, config.rows, config.columns)
    size = config.rows * config.columns
    image = np.arange(frames * sequences).reshape(frames, sequences) * size  # [T, B]
    corner = image[..., None] + corners[..., 0] * config.columns + corners[..., 1]  # [T, B, n]
    offsets = _pixel_offsets(config.columns)[scene.kinds]  # [B, n, P]
    for index in range(objects):
        canvas.draw(corner[..., index, None] + offsets[:, index], index + 1)  # [T, B, P]
    features, groups = canvas.images()
    return FrameBlock(features, groups)


def generate_shapes(config: ShapesConfig, split: str) -> Iterator[FrameBlock]:
    """Return an iterator over the sequences of one split, in blocks of at most 512.

    The data are the same on every machine and a smaller split is the beginning of a larger one,
    see `seeded_blocks`.

    Parameters
    ----------
    config
        What to generate.
    split
        `training`, `validation` or `test`.

    Raises
    ------
    ConfigError
        The split is not one of the three.
    """

    def make(generator: np.random.Generator, count: int) -> FrameBlock:
        scene = draw_scene(config, _BLOCK, generator)
        return render(config, Scene(*(part[:count] for part in scene)))

    return seeded_blocks(config, split, _BLOCK, make)


def _room(config: ShapesConfig, kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the largest corner position that keeps a shape inside; `[B, n]` to `[B, n, 2]`."""
    sizes = np.array([bitmap.shape for bitmap in BITMAPS])  # [3, 2]
    room: NDArray[np.int64] = np.array([config.rows, config.columns]) - sizes[kinds]
    return room


def _pixel_offsets(columns: int) -> NDArray[np.int64]:
    """Return each bitmap's pixels as offsets from its corner in a flat image; shape `[3, P]`.

    P is the largest number of pixels; shorter lists repeat their last entry.
    """
    flat = [row * columns + column for row, column in map(np.nonzero, BITMAPS)]
    most = max(map(len, flat))
    return np.stack([np.pad(pixels, (0, most - len(pixels)), mode="edge") for pixels in flat])
