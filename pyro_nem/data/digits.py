"""Images and videos of grey MNIST digits: generation, fully determined by a seed.

The data of the N-EM paper's flying MNIST, whose generator was never published. Known are the
frames (24 x 24, grey), the number of digits (2 or 3), and the variants with 20, 500 or all digits
to train on; everything else here is our assumption, listed in docs/data.md. What the files do not
fix is a field of the configuration, so that who knows better can set it.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data.layout import FrameBlock
from pyro_nem.data.mnist import MNIST_SIDE
from pyro_nem.data.mnist_bitmaps import TRAINING_DIGITS, DigitBitmaps, digit_bitmaps
from pyro_nem.data.motion import bounce
from pyro_nem.data.seeded_blocks import seeded_blocks
from pyro_nem.errors import ConfigError

__all__ = [
    "DigitScene",
    "DigitsConfig",
    "draw_digits",
    "generate_digits",
    "render_digits",
]

# Sequences that share a random generator; the first ones do not depend on how many follow.
# Changing it changes the data: raise `pyro_nem.data.cache.FORMAT_VERSION` with it.
_BLOCK: Final = 512


@dataclass(frozen=True)
class DigitsConfig:
    """What a file of digits holds. Two equal configurations give the same file."""

    objects: int = 2
    """Digits in each sequence."""
    variations: int | None = None
    """Digits to train on, the first ones of MNIST; None for all 50,000.

    Validation and test videos are the same for any number.
    """
    frames: int = 21
    """Frames of each sequence; 1 gives static images."""
    rows: int = 24
    """Height of the image in pixels."""
    columns: int = 24
    """Width of the image in pixels."""
    reduction: int = 2
    """Digits are reduced by this factor, to the mean of squares of so many pixels a side."""
    fastest: int = 1
    """Velocities along each axis are uniform on the whole numbers from minus this to this."""
    visible: int = 64
    """A pixel belongs to a digit that has at least this grey level there, of 255."""
    training: int = 50_000
    """Sequences to train on."""
    validation: int = 10_000
    """Sequences for validation."""
    test: int = 10_000
    """Sequences for the final test."""
    seed: int = 0
    """Seed of all three splits, which draw from separate streams."""

    def __post_init__(self) -> None:
        if self.reduction < 1 or MNIST_SIDE % self.reduction:
            raise ConfigError(
                f"DigitsConfig.reduction: expected a divisor of {MNIST_SIDE}, the side of MNIST's "
                f"images, got {self.reduction}"
            )
        side = MNIST_SIDE // self.reduction
        least = {"rows": side, "columns": side, "fastest": 0, "seed": 0}
        most = {"objects": 255, "variations": TRAINING_DIGITS, "visible": 255}
        for name, value in vars(self).items():
            low, high = least.get(name, 1), most.get(name)
            if value is not None and not low <= value <= (high or value):
                upper = "" if high is None else f" and at most {high:,}"
                raise ConfigError(
                    f"DigitsConfig.{name}: expected at least {low}{upper}, got {value}"
                )


class DigitScene(NamedTuple):
    """The random part of some sequences of `n` digits."""

    kinds: NDArray[np.int64]
    """Index into the bitmaps; shape `[B, n]`."""
    starts: NDArray[np.int64]
    """Row and column of the top left corner in frame 0; shape `[B, n, 2]`."""
    velocities: NDArray[np.int64]
    """Pixels a frame along rows and columns; shape `[B, n, 2]`."""


def draw_digits(
    config: DigitsConfig,
    bitmaps: DigitBitmaps,
    num_sequences: int,
    generator: np.random.Generator,
) -> DigitScene:
    """Draw digits and velocities uniformly, and starts uniformly among those inside the image."""
    pairs = (num_sequences, config.objects)
    kinds = generator.integers(0, len(bitmaps.sizes), pairs)  # [B, n]
    starts = generator.integers(0, _room(config, bitmaps, kinds) + 1)  # [B, n, 2]
    velocities = generator.integers(-config.fastest, config.fastest + 1, (*pairs, 2))  # [B, n, 2]
    return DigitScene(kinds, starts, velocities)


def render_digits(config: DigitsConfig, bitmaps: DigitBitmaps, scene: DigitScene) -> FrameBlock:
    """Let the digits of a scene move and draw them: a pixel is as bright as its brightest digit.

    Returns
    -------
    FrameBlock
        uint8 features, grey levels from 0 to 255, `[T, B, rows, columns, 1]`; uint8 groups of the
        same shape, the digit's number from 1 to n where exactly one digit is visible, else 0.
    """
    room = _room(config, bitmaps, scene.kinds)
    corners = bounce(scene.starts, scene.velocities, room, config.frames)  # [T, B, n, 2]
    frames, sequences, objects, _ = corners.shape
    side = bitmaps.levels.shape[1]
    # The square of a small digit reaches over the border, with nothing in it there.
    features = np.zeros((frames, sequences, config.rows + side, config.columns + side), np.uint8)
    groups, covered = np.zeros_like(features), np.zeros_like(features)
    pixel = np.arange(side)
    for index in range(objects):
        levels = bitmaps.levels[scene.kinds[:, index]]  # [B, side, side]
        rows, columns = np.moveaxis(corners[:, :, index, :, None] + pixel, 2, 0)  # [T, B, side]
        place = (
            np.arange(frames)[:, None, None, None],
            np.arange(sequences)[:, None, None],
            rows[..., None],
            columns[..., None, :],
        )
        visible = levels >= config.visible  # [B, side, side]
        features[place] = np.maximum(features[place], levels)
        groups[place] = np.where(visible, index + 1, groups[place])
        covered[place] += visible
    groups *= covered == 1
    cut = np.s_[:, :, : config.rows, : config.columns, None]
    return FrameBlock(features[cut], groups[cut])


def generate_digits(
    config: DigitsConfig, split: str, report: Callable[[str], None] = print
) -> Iterator[FrameBlock]:
    """Return an iterator over the sequences of one split, in blocks of at most 512.

    The data are the same on every machine and a smaller split is the beginning of a larger one,
    see `seeded_blocks`.

    Parameters
    ----------
    config
        What to generate.
    split
        `training`, `validation` or `test`.
    report
        Called with a line of text if MNIST is downloaded.

    Raises
    ------
    ConfigError
        The split is not one of the three.
    DataError
        With the first block: MNIST cannot be found, or what was found is damaged.
    StorageError
        With the first block: MNIST was downloaded, and the cache cannot be written.
    """

    @functools.cache
    def bitmaps() -> DigitBitmaps:
        return digit_bitmaps(
            split, variations=config.variations, reduction=config.reduction, report=report
        )

    def make(generator: np.random.Generator, count: int) -> FrameBlock:
        scene = draw_digits(config, bitmaps(), _BLOCK, generator)
        return render_digits(config, bitmaps(), DigitScene(*(part[:count] for part in scene)))

    return seeded_blocks(config, split, _BLOCK, make)


def _room(
    config: DigitsConfig, bitmaps: DigitBitmaps, kinds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the largest corner position that keeps a digit inside; `[B, n]` to `[B, n, 2]`."""
    room: NDArray[np.int64] = np.array([config.rows, config.columns]) - bitmaps.sizes[kinds]
    return room
