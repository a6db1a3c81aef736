"""Videos of coloured sprites that hide each other: generation, fully determined by a seed.

Made for this project: no published data has colour and occlusion in this layout. Sprites of
several outlines, colours and sizes move on straight lines over a black background, bounce at the
border and pass in front of each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data.generator_checks import check_generator
from pyro_nem.data.layout import FrameBlock
from pyro_nem.data.seeded_blocks import seeded_blocks
from pyro_nem.data.silhouettes import SILHOUETTES

__all__ = [
    "WHITE",
    "SpriteScene",
    "SpritesConfig",
    "draw_sprites",
    "generate_sprites",
    "render_sprites",
]

# As fractions of the shorter side of the image: on 64 x 64, radii of 5.1 to 9 pixels and at most
# 1.9 pixels a frame along each axis.
_RADII: Final = (0.08, 0.14)
_SPEED: Final = 0.03
# Below this, the smallest sprite has hardly a pixel.
_LEAST_SIDE: Final = 16

WHITE: Final = 255
"""The byte of full intensity."""

# Sequences that share a random generator; the first ones do not depend on how many follow.
# Changing it changes the data: raise `pyro_nem.data.cache.FORMAT_VERSION` with it.
_BLOCK: Final = 128


@dataclass(frozen=True)
class SpritesConfig:
    """What a file of sprites holds. Two equal configurations give the same file."""

    objects: int = 3
    """Sprites in each sequence; the fewest, if `most_objects` is given."""
    most_objects: int | None = 6
    """The number of sprites is uniform on `objects` to this; None for `objects` in each."""
    frames: int = 21
    """Frames of each sequence; 1 gives static images."""
    rows: int = 64
    """Height of the image in pixels."""
    columns: int = 64
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
        least = {"rows": _LEAST_SIDE, "columns": _LEAST_SIDE, "seed": 0}
        check_generator(self, {**least, "most_objects": self.objects})


class SpriteScene(NamedTuple):
    """The random part of some sequences of up to n sprites, the one that is farthest back first."""

    kinds: NDArray[np.int64]
    """Index into `SILHOUETTES`; shape `[B, n]`."""
    colours: NDArray[np.uint8]
    """Red, green and blue; shape `[B, n, 3]`."""
    radii: NDArray[np.float64]
    """Half the side of the square around a sprite in pixels; 0 for none. Shape `[B, n]`."""
    starts: NDArray[np.float64]
    """Row and column of the centre in frame 0; shape `[B, n, 2]`."""
    velocities: NDArray[np.float64]
    """Pixels a frame along rows and columns; shape `[B, n, 2]`."""


def draw_sprites(
    config: SpritesConfig, num_sequences: int, generator: np.random.Generator
) -> SpriteScene:
    """Draw a scene: everything uniform, but in each colour one channel, drawn too, is full.

    So no sprite is as dark as the background. Those of a sequence come first, radius 0 fills up
    the rest.
    """
    most = config.most_objects or config.objects
    pairs = (num_sequences, most)
    sides = np.array([config.rows, config.columns])
    count = generator.integers(config.objects, most + 1, num_sequences)  # [B]
    kinds = generator.integers(0, len(SILHOUETTES), pairs)  # [B, n]
    colours = generator.integers(0, WHITE, (*pairs, 3), np.uint8, endpoint=True)  # [B, n, 3]
    full = generator.integers(0, 3, (*pairs, 1))  # [B, n, 1]
    np.put_along_axis(colours, full, WHITE, axis=-1)
    # Not `uniform`, which some compilers round once and others twice, see ball_physics.py.
    low, high = _RADII
    radii = (low + (high - low) * generator.random(pairs)) * sides.min()  # [B, n]
    starts = radii[..., None] + generator.random((*pairs, 2)) * _room(config, radii)  # [B, n, 2]
    velocities = (2.0 * generator.random((*pairs, 2)) - 1.0) * _SPEED * sides.min()  # [B, n, 2]
    present = np.arange(most) < count[:, None]  # [B, n]
    return SpriteScene(kinds, colours, radii * present, starts, velocities)


def render_sprites(config: SpritesConfig, scene: SpriteScene) -> FrameBlock:
    """Let the sprites of a scene move and paint them from the back to the front.

    A pixel is a sprite's if its centre is inside the outline.

    Returns
    -------
    FrameBlock
        uint8 features from 0 to 255, `[T, B, rows, columns, 3]`; uint8 groups, the number of the
        sprite in front, from 1 to n, or 0 on the background, `[T, B, rows, columns, 1]`.
    """
    centres = _track(config, scene)  # [T, B, n, 2]
    image = (config.frames, len(scene.kinds), config.rows, config.columns)
    features, groups = np.zeros((*image, 3), np.uint8), np.zeros((*image, 1), np.uint8)
    colour_of, group_of = features.reshape(-1, 3), groups.reshape(-1)
    for depth in range(scene.kinds.shape[1]):
        for kind, inside in enumerate(SILHOUETTES.values()):
            here = (scene.kinds[:, depth] == kind) & (scene.radii[:, depth] > 0)
            which = np.flatnonzero(here)  # [b]
            radii = scene.radii[which, depth]  # [b]
            rows, columns = _patch(centres[:, which, depth], radii)  # [T, b, h] each
            down, right = (
                (pixel + 0.5 - centres[:, which, depth, axis, None]) / radii[:, None]
                for axis, pixel in enumerate((rows, columns))
            )
            mask = inside(down[..., None], right[..., None, :])  # [T, b, h, h]
            frame, sequence, row, column = np.nonzero(mask)  # [N] each
            pixels = np.ravel_multi_index(
                (
                    frame,
                    which[sequence],
                    rows[frame, sequence, row],
                    columns[frame, sequence, column],
                ),
                image,
            )
            colour_of[pixels] = scene.colours[which[sequence], depth]
            group_of[pixels] = depth + 1
    return FrameBlock(features, groups)


def generate_sprites(config: SpritesConfig, split: str) -> Iterator[FrameBlock]:
    """Return an iterator over the sequences of one split, in blocks of at most 128.

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
        scene = draw_sprites(config, _BLOCK, generator)
        return render_sprites(config, SpriteScene._make(part[:count] for part in scene))

    return seeded_blocks(config, split, _BLOCK, make)


def _room(config: SpritesConfig, radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far centres can move while sprites stay inside; `[B, n]` to `[B, n, 2]`."""
    room: NDArray[np.float64] = np.array([config.rows, config.columns]) - 2.0 * radii[..., None]
    return room


def _track(config: SpritesConfig, scene: SpriteScene) -> NDArray[np.float64]:
    """Return the centres of all frames, `[T, B, n, 2]`; they turn around at the border."""
    room = _room(config, scene.radii)  # [B, n, 2]
    time = np.arange(config.frames)[:, None, None, None]  # [T, 1, 1, 1]
    line = scene.starts - scene.radii[..., None] + time * scene.velocities  # [T, B, n, 2]
    # The straight line folded into [0, room], a triangle wave of period 2 room.
    folded: NDArray[np.float64] = room - np.abs(line % (2.0 * room) - room)
    return scene.radii[..., None] + folded


def _patch(
    centres: NDArray[np.float64], radii: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and columns that hold sprites, `[T, b, h]` each; they may leave the image."""
    height = 2 * int(np.ceil(radii.max(initial=0.0))) + 1
    first = np.floor(centres - radii[:, None]).astype(np.int64)  # [T, b, 2]
    rows, columns = np.moveaxis(first, -1, 0)[..., None] + np.arange(height)
    return rows, columns
