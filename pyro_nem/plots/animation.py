"""Segmentations in motion, as a GIF."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pyro_nem.errors import ConfigError
from pyro_nem.files import replacing
from pyro_nem.plots.colours import check_colours, mix_colours
from pyro_nem.plots.groups import colour_groups
from pyro_nem.plots.segmentation import SegmentationSample

__all__ = ["segmentation_gif"]

# All in dots of the picture.
_BORDER = 3
_GAP = 5  # between the borders of neighbours
_MARGIN = 8
_TEXT = 18  # height of a line of text
_FONT_SIZE = 12

_PAPER = 255
_INK = (34, 34, 34)
# GIF counts hundredths of a second, and browsers slow down what is shorter than two.
_FASTEST = 50.0
# The last step stands longer, so that one sees where the loop begins again.
_LAST_STEP_LASTS = 4


def segmentation_gif(
    sample: SegmentationSample | Sequence[SegmentationSample],
    path: Path,
    frames_per_second: float = 4,
    scale: int = 4,
    *,
    colours: NDArray[Any] | None = None,
    labels: Sequence[str] | None = None,
) -> None:
    """Write an animated GIF with one frame a step, atomically.

    From the left: noisy input, clean target, assignment gamma as colours, true objects (if
    known), the mean psi_k of each component framed in its colour. Several samples stand below
    each other. Values outside [0, 1] are clipped.

    Parameters
    ----------
    sample
        One sequence, or several that agree in T, K, rows, columns, C and in whether they have
        groups. Titles are not drawn.
    path
        Ends in `.gif`; its folder must exist.
    frames_per_second
        Above 0 and at most 50; rounded to what GIF can say, hundredths of a second a frame.
    scale
        Dots per pixel, at least 1.
    colours
        RGB of the components in [0, 1], shape `[K, 3]`; `component_colours(K)` if None.
    labels
        What stands below each of the T frames; "step t / T" if None.

    Raises
    ------
    ConfigError
        Samples that do not agree, or an argument outside its range.
    StorageError
        The system refuses to write; an earlier file is untouched.
    """
    samples = [sample] if isinstance(sample, SegmentationSample) else list(sample)
    _check(samples, path, frames_per_second, scale)
    num_steps, num_components = samples[0].num_steps, samples[0].num_components
    palette = check_colours(colours, num_components)
    counters = [f"step {t + 1} / {num_steps}" for t in range(num_steps)]
    if labels is not None:
        if len(labels) != num_steps:
            raise ConfigError(f"labels: expected {num_steps}, one a step, got {len(labels)}")
        counters = list(labels)

    borders: list[NDArray[Any] | None] = [None, None, None]
    captions = ["input", "target", "assignment"]
    if samples[0].groups is not None:
        borders.append(None)
        captions.append("objects")
    borders.extend(palette)
    captions.extend(f"component {k + 1}" for k in range(num_components))

    tiles = [_tiles(one, palette) for one in samples]  # each [T, tiles, rows, columns, 3]
    frames = [
        _draw_frame([one[t] for one in tiles], borders, captions, counters[t], scale)
        for t in range(num_steps)
    ]
    duration = 10 * round(100 / frames_per_second)  # milliseconds
    first, *rest = _share_palette(frames)
    with replacing(path) as temporary:
        first.save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=rest,
            duration=[duration] * (num_steps - 1) + [duration * _LAST_STEP_LASTS],
            loop=0,
        )


def _check(
    samples: list[SegmentationSample], path: Path, frames_per_second: float, scale: int
) -> None:
    """Raise ConfigError for arguments that make no picture."""
    if path.suffix.lower() != ".gif":
        raise ConfigError(f"path: expected a name that ends in .gif, got {path}")
    if not 0 < frames_per_second <= _FASTEST:
        raise ConfigError(
            f"frames_per_second: expected above 0 and at most {_FASTEST:g}, got {frames_per_second}"
        )
    if scale < 1:
        raise ConfigError(f"scale: expected at least 1, got {scale}")
    if not samples:
        raise ConfigError("sample: expected at least one sample, got an empty list")
    first = samples[0]
    for index, other in enumerate(samples):
        if other.psi.shape != first.psi.shape:
            raise ConfigError(
                f"sample: expected psi of one shape in all samples, got {first.psi.shape} in "
                f"sample 0 and {other.psi.shape} in sample {index}"
            )
        if (other.groups is None) != (first.groups is None):
            raise ConfigError(
                f"sample: expected groups in all samples or in none, but samples 0 and {index} "
                "differ"
            )


def _tiles(sample: SegmentationSample, colours: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Arrange a sample as RGB bytes `[T, tiles, rows, columns, 3]`."""
    parts = [sample.inputs, sample.targets, mix_colours(sample.gamma, colours)]
    if sample.groups is not None:
        parts.append(colour_groups(sample.groups, sample.gamma, colours))
    parts.extend(np.moveaxis(sample.psi, 1, 0))  # K of [T, rows, columns, C]
    shape = (*sample.inputs.shape[:-1], 3)
    return np.stack([_bytes(np.broadcast_to(part, shape)) for part in parts], axis=1)


def _bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Turn [0, 1] into bytes, clipping what is outside."""
    scaled = 255 * values.astype(np.float64).clip(0.0, 1.0)
    return np.asarray(np.rint(scaled), dtype=np.uint8)


def _draw_frame(
    samples: list[NDArray[np.uint8]],
    borders: list[NDArray[Any] | None],
    captions: list[str],
    counter: str,
    scale: int,
) -> Image.Image:
    """Draw one step; each sample is `[tiles, rows, columns, 3]` and takes one line of tiles."""
    height, width = (scale * length for length in samples[0].shape[1:3])
    pitch_y, pitch_x = (length + 2 * _BORDER + _GAP for length in (height, width))
    canvas = np.full(
        (
            2 * _MARGIN + 2 * _TEXT + len(samples) * pitch_y - _GAP,
            2 * _MARGIN + len(captions) * pitch_x - _GAP,
            3,
        ),
        _PAPER,
        np.uint8,
    )
    lefts = [_MARGIN + _BORDER + j * pitch_x for j in range(len(captions))]
    tops = [_MARGIN + _TEXT + _BORDER + i * pitch_y for i in range(len(samples))]
    for top, tiles in zip(tops, samples, strict=True):
        for left, tile, border in zip(lefts, tiles, borders, strict=True):
            if border is not None:
                canvas[
                    top - _BORDER : top + height + _BORDER,
                    left - _BORDER : left + width + _BORDER,
                ] = _bytes(border)
            canvas[top : top + height, left : left + width] = tile.repeat(scale, 0).repeat(scale, 1)

    image = Image.fromarray(canvas)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(_FONT_SIZE)
    for left, caption in zip(lefts, captions, strict=True):
        # Small tiles have no room for words; "component 12" may still fit as "12".
        fitting = [t for t in (caption, caption.split()[-1]) if draw.textlength(t, font) <= width]
        if fitting:
            draw.text((left + width / 2, _MARGIN + _TEXT - 5), fitting[0], _INK, font, anchor="ms")
    draw.text((_MARGIN + _BORDER, image.height - _MARGIN), counter, _INK, font, anchor="ls")
    return image


def _share_palette(frames: list[Image.Image]) -> list[Image.Image]:
    """Reduce frames to one palette of 256 colours: separate ones would flicker."""
    width, height = frames[0].size
    reel = Image.new("RGB", (width, height * len(frames)))
    for t, frame in enumerate(frames):
        reel.paste(frame, (0, height * t))
    reduced = reel.quantize(256, dither=Image.Dither.NONE)
    return [reduced.crop((0, height * t, width, height * (t + 1))) for t in range(len(frames))]
