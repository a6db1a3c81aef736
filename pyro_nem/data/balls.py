"""Videos of balls that collide: generation, fully determined by a seed.

The data of the R-NEM paper (van Steenkiste et al. 2018): balls with mass, 4 to train on and 6 to 8
to extrapolate to, and balls behind a curtain. Its generator was never published. Known are the
sizes (51 binary frames of 64 x 64), the number of balls, that masses differ, and a pixel mask
`collisions`; everything else here is our assumption, listed in docs/data.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data.ball_physics import Balls, simulate_balls
from pyro_nem.data.canvas import Canvas
from pyro_nem.data.disks import disk_pixels
from pyro_nem.data.generator_checks import check_generator
from pyro_nem.data.layout import FrameBlock
from pyro_nem.data.seeded_blocks import seeded_blocks
from pyro_nem.errors import ConfigError

__all__ = ["BallScene", "BallsConfig", "draw_balls", "generate_balls", "render_balls"]

# As fractions of the shorter side of the image: on 64 x 64, radii of 4.8 to 8 pixels (masses
# differ by up to 2.8) and at most 3.2 pixels a frame along each axis.
_RADII: Final = (0.075, 0.125)
_SPEED: Final = 0.05
# As fractions of each side of the image.
_CURTAIN: Final = (0.25, 0.5)
# Below this, the smallest ball has hardly a pixel.
_LEAST_SIDE: Final = 16

# A ball without a free place after so many tries ends the attempt for its sequence.
_TRIES: Final = 30
_ATTEMPTS: Final = 50

# Sequences that share a random generator; the first ones do not depend on how many follow.
# Changing it changes the data: raise `pyro_nem.data.cache.FORMAT_VERSION` with it.
_BLOCK: Final = 128


@dataclass(frozen=True)
class BallsConfig:
    """What a file of bouncing balls holds. Two equal configurations give the same file."""

    objects: int = 4
    """Balls in each sequence; the fewest, if `most_objects` is given."""
    most_objects: int | None = None
    """The number of balls is uniform on `objects` to this; None for `objects` in each sequence.

    The paper extrapolates to 6 to 8.
    """
    curtain: bool = False
    """Hide the balls behind a rectangle that stays where it is; the paper's have 3 balls."""
    frames: int = 51
    """Frames of each sequence."""
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
        least = {"rows": _LEAST_SIDE, "columns": _LEAST_SIDE, "curtain": 0, "seed": 0}
        check_generator(self, {**least, "most_objects": self.objects})


class BallScene(NamedTuple):
    """The random part of some sequences."""

    balls: Balls
    """The balls in frame 0; those of a sequence come first, radius 0 fills up the rest."""
    curtains: NDArray[np.int64]
    """Top, bottom, left and right, ends exclusive, all 0 without a curtain; shape `[B, 4]`."""


def draw_balls(
    config: BallsConfig, num_sequences: int, generator: np.random.Generator
) -> BallScene:
    """Draw radii and velocities uniformly, and places one after the other where there is room.

    Raises
    ------
    ConfigError
        So many balls do not fit into the image.
    """
    sides = np.array([config.rows, config.columns])
    side = sides.min()
    most = config.most_objects or config.objects
    count = generator.integers(config.objects, most + 1, num_sequences)  # [B]
    present = np.arange(most) < count[:, None]  # [B, n]
    # Not `uniform`, which some compilers round once and others twice, see ball_physics.py.
    low, high = _RADII
    radii = (low + (high - low) * generator.random(present.shape)) * side * present  # [B, n]
    velocities = (2.0 * generator.random((*present.shape, 2)) - 1.0) * _SPEED * side  # [B, n, 2]
    velocities *= present[..., None]
    positions = _place(config, radii, generator)
    curtains = np.zeros((num_sequences, 4), np.int64)
    if config.curtain:
        # Drawn last, so that the balls behind it are those of the same seed without a curtain.
        least, greatest = np.rint(np.multiply.outer(_CURTAIN, sides)).astype(np.int64)  # [2] each
        sizes = generator.integers(least, greatest + 1, (num_sequences, 2))  # [B, 2]
        corners = generator.integers(0, sides - sizes + 1)  # [B, 2]
        curtains = np.stack([corners, corners + sizes], axis=-1).reshape(-1, 4)
    return BallScene(Balls(radii, positions, velocities), curtains)


def render_balls(config: BallsConfig, scene: BallScene) -> FrameBlock:
    """Let the balls of a scene move and draw them: a pixel is on if its centre is in a ball.

    Returns
    -------
    FrameBlock
        uint8 features in {0, 1}, `[T, B, rows, columns, 1]`; uint8 groups of the same shape, the
        ball's number from 1 to n, or 0 on the background; uint8 collisions of the same shape, 1
        on the balls that met another one since the frame before. All are 0 behind a curtain.
    """
    radii, sides = scene.balls.radii, (config.rows, config.columns)
    motion = simulate_balls(scene.balls, config.frames, sides)
    canvas = Canvas(config.frames, len(radii), *sides)
    collisions = np.zeros(canvas.shape, np.uint8)
    # Frame by frame, so that what is computed and drawn stays in the processor's cache.
    for frame, positions in enumerate(motion.positions):
        image = frame * len(radii)
        for ball in range(radii.shape[1]):
            here = np.flatnonzero(radii[:, ball])  # [M]
            pixels = disk_pixels(positions[here, ball], radii[here, ball], image + here, sides)
            canvas.draw(pixels, ball + 1)
        met = np.nonzero(motion.collided[frame])  # [M] sequences and [M] balls
        pixels = disk_pixels(positions[met], radii[met], image + met[0], sides)
        collisions.reshape(-1)[pixels] = 1
    features, groups = canvas.images()
    for sequence, (top, bottom, left, right) in enumerate(scene.curtains):
        for array in (features, groups, collisions):
            array[:, sequence, top:bottom, left:right] = 0
    return FrameBlock(features, groups, collisions)


def generate_balls(config: BallsConfig, split: str) -> Iterator[FrameBlock]:
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
        The split is not one of the three, or, with the first block, the balls do not fit.
    """

    def make(generator: np.random.Generator, count: int) -> FrameBlock:
        balls, curtains = draw_balls(config, _BLOCK, generator)
        first = Balls(*(part[:count] for part in balls))
        return render_balls(config, BallScene(first, curtains[:count]))

    return seeded_blocks(config, split, _BLOCK, make)


def _place(
    config: BallsConfig, radii: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return centres of balls that do not overlap, `[B, n, 2]`."""
    positions = np.zeros((*radii.shape, 2))
    waiting = np.arange(len(radii))
    for _ in range(_ATTEMPTS):
        positions[waiting], failed = _try_to_place(config, radii[waiting], generator)
        waiting = waiting[failed]
        if waiting.size == 0:
            return positions
    raise ConfigError(
        f"BallsConfig.objects: {config.most_objects or config.objects} balls do not fit into "
        f"{config.rows}x{config.columns} pixels ({_ATTEMPTS} attempts); ask for fewer balls, or "
        "for another shape of the image"
    )


def _try_to_place(
    config: BallsConfig, radii: NDArray[np.float64], generator: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Place balls one after the other; return centres, `[B, n, 2]`, and who failed, `[B]`."""
    positions = np.zeros((*radii.shape, 2))
    failed = np.zeros(len(radii), np.bool_)
    sides = np.array([config.rows, config.columns])
    for index in range(radii.shape[1]):
        waiting = np.flatnonzero((radii[:, index] > 0) & ~failed)
        for _ in range(_TRIES):
            radius = radii[waiting, index, None]  # [b, 1]
            place = radius + generator.random((len(waiting), 2)) * (sides - 2.0 * radius)  # [b, 2]
            positions[waiting, index] = place
            d = positions[waiting, :index] - place[:, None]  # [b, index, 2]
            reach = radii[waiting, :index] + radius  # [b, index]
            overlap = d[..., 0] ** 2 + d[..., 1] ** 2 < reach**2
            waiting = waiting[overlap.any(1)]
            if waiting.size == 0:
                break
        failed[waiting] = True
    return positions, failed
