"""Writing videos in the layout of the published files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data import FrameBlock, Split, write_frames
from pyro_nem.errors import DataError
from pyro_nem.importing.image_size import ImageSize
from pyro_nem.importing.videos import Video, Videos

__all__ = ["convert"]

# Videos in memory: whole chunks of the file, or for large videos as many as take so many bytes.
_BLOCK: Final = 64
_BLOCK_BYTES: Final = 64 * 2**20

# ITU-R BT.601, as Pillow's own conversion and most others.
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)


def convert(
    source: Videos,
    path: Path,
    splits: Mapping[str, Sequence[int] | NDArray[np.int64]],
    size: ImageSize | None = None,
    *,
    grey: bool = False,
    attributes: Mapping[str, str | int | float] | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write videos as a file that every experiment reads: all of it or nothing.

    Bytes stay bytes. Without masks the file has no groups, and nothing is scored.

    Parameters
    ----------
    source
        The videos, read one at a time.
    path
        The file to create or replace; its folder must exist.
    splits
        The videos of `training`, `validation` and `test`, or of some of them.
    size
        The size that images get; as they are if not given.
    grey
        Make grey frames of those with three channels.
    attributes
        What the file shall say about where it comes from.
    report
        Called after each block with the videos that are done and all.

    Raises
    ------
    DataError
        Videos are damaged, differ in shape or in having masks, have no colours to make grey, or are
        all but black.
    StorageError
        The file system refused, for instance because the disk is full.
    """
    total = sum(len(videos) for videos in splits.values())
    done, brightest = 0, 0.0
    first: tuple[int, ...] | None = None

    def blocks(videos: Sequence[int] | NDArray[np.int64]) -> Iterator[FrameBlock]:
        nonlocal done, brightest, first
        held: list[Video] = []
        for place, index in enumerate(videos, 1):
            video = _prepared(source.read(int(index)), source.white, size, grey)
            first = first or video.frames.shape
            if video.frames.shape != first:
                raise DataError(
                    f"{video.name}: expected (T, rows, columns, C) = {first} as the first video "
                    f"has, got {video.frames.shape}; bring all to one size with size= or --size"
                )
            held.append(video)
            if len(held) == _block_size(video) or place == len(videos):
                block = _block(held)
                brightest = max(brightest, float(block.features.max()))
                done += len(held)
                held = []
                yield block
                report(done, total)
        if done == total and (brightest == 0 or brightest <= 1 < source.white):
            # Told here, before the file appears: a single video may well be black.
            raise DataError(
                f"{source.name}: the brightest value is {brightest:g} of {source.white}, so the "
                "frames are all but black; bytes of 0 and 1 are to be bool, or images of 0 and 255"
            )

    parts = {name: Split(len(v), blocks(v), source.white) for name, v in splits.items()}
    write_frames(path, parts, attributes or {})


def _prepared(video: Video, white: int, size: ImageSize | None, grey: bool) -> Video:
    """Return a video as it is to be stored, full intensity being the same."""
    frames, masks = video.frames, video.masks
    channels = frames.shape[-1]
    if grey and channels == 3:
        luma = frames.astype(np.float32) @ _LUMA[:, None]  # [T, rows, columns, 1]
        # Of 0 and 1 the grey levels lie in between.
        frames = np.rint(luma).astype(np.uint8) if white > 1 else luma
    elif grey and channels != 1:
        raise DataError(
            f"{video.name}: expected frames of 1 or 3 channels to make grey, got {channels}"
        )
    if size is not None:
        if size.smooth and white == 1:
            # What lies between 0 and 1 is no byte.
            frames = frames.astype(np.float32, copy=False)
        frames = size.frames(frames)
        masks = None if masks is None else size.masks(masks)
    return Video(video.name, frames, masks)


def _block_size(video: Video) -> int:
    """Return how many videos are written at once."""
    return max(1, min(_BLOCK, _BLOCK_BYTES // video.frames.nbytes))


def _block(videos: Sequence[Video]) -> FrameBlock:
    """Return videos side by side, time first."""
    features = np.stack([video.frames for video in videos], axis=1)  # [T, n, rows, columns, C]
    masks = [video.masks for video in videos if video.masks is not None]
    if not masks:
        return FrameBlock(features)
    if len(masks) < len(videos):
        unknown = next(video.name for video in videos if video.masks is None)
        raise DataError(f"{unknown}: expected masks as other videos have, found none")
    return FrameBlock(features, np.stack(masks, axis=1)[..., None])
