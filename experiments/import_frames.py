"""Bring your own videos or images: ``python -m experiments.import_frames FRAMES``."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from experiments.cli import Choice, Count, File, Text, run_command
from experiments.resolving import or_default
from inference import duration
from pyro_nem.data import HDF5Frames
from pyro_nem.errors import ConfigError
from pyro_nem.files import make_directory
from pyro_nem.importing import ImageSize, convert, deal, open_videos
from pyro_nem.importing.image_size import SizeMethod

__all__ = ["ImportOptions", "main"]

_PROGRAM = "experiments.import_frames"
_EVERY = 5.0
"""Seconds between lines of progress."""


@dataclass(frozen=True)
class ImportOptions:
    """Convert videos or images, with the masks of their objects, to a file for --data.

    The input is a .npy or .npz file, or a folder: with a folder of PNG or JPEG images for each
    video, or with images that are static. It is read video by video, so it may be larger than the
    memory. See docs/data.md for the layout of the file.
    """

    frames: tyro.conf.Positional[Path]
    """File or folder of the frames. Arrays are bool, uint8 (255 is full intensity) or floats in
    [0, 1]; in an .npz file, the array "frames"."""

    masks: File = None
    """File or folder of the masks, shaped and named like the frames: the object of each pixel, from
    1, or 0 where it is not to be scored. Images are indexed or grey PNGs. Default: the array
    "masks" in the .npz file of the frames, else no masks, and then no scores either."""

    output: File = None
    """File to write. Default: named after the input, in the present folder."""

    overwrite: bool = False
    """Replace a file of that name."""

    axes: Text = None
    """What the axes of an array are: N videos, T frames, H rows, W columns, C channels; for example
    NHW for grey images. Default: NTHWC."""

    length: Count = None
    """Frames of each video; longer ones are cut. Default: all."""

    size: Annotated[
        tuple[int, int] | None, tyro.conf.arg(metavar="ROWS COLUMNS", help_behavior_hint="")
    ] = None
    """Size that images get. The networks halve images several times, so multiples of 8 fit best.
    Default: as they are, and then all of one size."""

    method: Annotated[SizeMethod | None, Choice] = None
    """What --size does with another aspect ratio: crop (cut off what is too long), pad (with black)
    or stretch. Default: crop."""

    nearest: bool = False
    """Resize without interpolation, which keeps binary frames binary."""

    grey: bool = False
    """Convert colours to grey."""

    validation: float = 0.1
    """Fraction of the videos for validation."""

    test: float = 0.1
    """Fraction of the videos for the test."""

    seed: Count = None
    """Seed by which videos are dealt out to the splits. Default: 0."""

    in_order: bool = False
    """Keep the order instead: the first videos are for training, the last for the test."""

    def __post_init__(self) -> None:
        for name in ("length", "seed"):
            value, least = getattr(self, name), int(name == "length")
            if value is not None and value < least:
                raise ConfigError(f"--{name}: expected at least {least}, got {value}")
        for name in ("method", "nearest"):
            if self.size is None and getattr(self, name):
                raise ConfigError(
                    f"--{name}: says how images are resized, which they are not without --size; "
                    "leave it out, or give --size"
                )
        if self.in_order and self.seed is not None:
            raise ConfigError("--seed: nothing is drawn with --in-order; leave one of them out")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    return run_command(ImportOptions, _import, _PROGRAM, arguments)


def _import(options: ImportOptions) -> int:
    output = options.output or Path(f"{options.frames.resolve().stem}.h5")
    if output.exists() and not options.overwrite:
        raise ConfigError(
            f"--output {output}: exists already; choose another name, or replace it with "
            "--overwrite"
        )
    seed = None if options.in_order else or_default(options.seed, 0)
    size = None
    if options.size is not None:
        size = ImageSize(*options.size, options.method or "crop", smooth=not options.nearest)
    make_directory(output.parent)
    # Beside the output, where there has to be room anyway.
    with tempfile.TemporaryDirectory(prefix=".import-", dir=output.parent) as scratch:
        source = open_videos(
            options.frames,
            options.masks,
            axes=options.axes,
            grey=options.grey,
            limit=options.length,
            scratch=Path(scratch),
        )
        splits = deal(
            source.num_videos,
            validation=options.validation,
            test=options.test,
            seed=seed,
        )
        convert(
            source,
            output,
            splits,
            size,
            grey=options.grey,
            attributes=_attributes(options, size, seed),
            report=_progress(),
        )
    channels = 1
    for split in splits:
        with HDF5Frames(output, split) as written:
            rows, columns, channels = written.image_shape
            kind = "video" if written.num_frames > 1 else "image"
            kind += "" if written.num_sequences == 1 else "s"
            length = f" of {written.num_frames} frames" if written.num_frames > 1 else ""
            print(
                f"{written.name}: {written.num_sequences:,} {kind}{length}, "
                f"{rows}x{columns}, {channels} channel{'s' if channels > 1 else ''}"
            )
    if channels not in (1, 3):
        print(
            f"warning: {channels} channels, where grey frames have 1 and coloured ones 3; a model "
            "can be trained on these, but no picture of them be drawn. Of an array, check that "
            "--axes names its axes in their order (default: NTHWC)",
            file=sys.stderr,
        )
    return 0


def _attributes(options: ImportOptions, size: ImageSize | None, seed: int | None) -> dict[str, Any]:
    """Return what the file says about its origin; HDF5 has no attribute that is None."""
    used: dict[str, Any] = {**vars(options), "seed": seed, "overwrite": None, "nearest": None}
    if size is not None:
        used.update(method=size.method, nearest=options.nearest)
    given = {name: value for name, value in used.items() if value is not None}
    texts = {name: str(value) for name, value in given.items() if isinstance(value, Path)}
    return {"generator": "import_frames", **given, **texts}


def _progress() -> Callable[[int, int], None]:
    """Return what prints a line of progress now and then."""
    started = printed = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal printed
        now = time.monotonic()
        if now - printed >= _EVERY and done < total:
            printed = now
            left = duration((now - started) * (total - done) / done)
            print(f"{done:,} of {total:,} videos | {left} left", flush=True)

    return report


if __name__ == "__main__":
    sys.exit(main())
