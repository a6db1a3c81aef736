"""Videos in folders of images."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from pyro_nem.checks import at_least
from pyro_nem.data.folders import is_visible
from pyro_nem.errors import DataError
from pyro_nem.importing.videos import Video, check_length

__all__ = ["FolderVideos"]

_FRAMES: Final = (".png", ".jpg", ".jpeg")
# JPEG changes ids.
_MASKS: Final = (".png",)
_GREY_MODES: Final = ("1", "L", "LA")
_ID_MODES: Final = ("1", "L", "P")


class FolderVideos:
    """A folder with a folder of images for each video, or with the images themselves.

    Images are PNG or JPEG of 8 bits, transparent pixels black. Without folders in it, each image is
    a static one. Videos and frames are sorted by name, numbers in it by value: `frame2.png` comes
    before `frame10.png`.

    Parameters
    ----------
    frames
        The folder.
    masks
        A folder of PNGs with the same names and folders, whose values (indices of a palette, or
        grey levels) are object ids, 0 where not scored; None without labels. The suffixes may
        differ.
    grey
        Make grey images of coloured ones. Otherwise all have to be of one kind.
    limit
        Use only the first frames of each video; None for all.

    Raises
    ------
    ConfigError
        A limit below 1.
    DataError
        A folder is missing, empty, or has images beside folders; a mask is missing; or videos have
        different lengths, or fewer frames than `limit`.
    """

    def __init__(
        self,
        frames: Path,
        masks: Path | None = None,
        *,
        grey: bool = False,
        limit: int | None = None,
    ) -> None:
        at_least(1, limit=limit)
        self._root = frames
        self._videos = _videos(frames, _FRAMES)
        if limit is None and len({len(video) for video in self._videos}) > 1:
            shortest = min(self._videos, key=len)
            longest = max(self._videos, key=len)
            raise DataError(
                f"{frames}: expected videos of one length, but {shortest[0].parent.name} has "
                f"{len(shortest)} frames and {longest[0].parent.name} {len(longest)}; cut them to "
                f"their first {len(shortest)} with limit= or --length {len(shortest)}"
            )
        for video in self._videos:
            check_length(str(video[0].parent), len(video), limit)
        self._videos = [video[:limit] for video in self._videos]
        self._masks = None if masks is None else _masks_of(self._videos, frames, masks)
        first = self._videos[0][0]
        self._mode = "L" if grey or _mode(first) in _GREY_MODES else "RGB"
        self._convert = grey

    @property
    def name(self) -> str:
        """The folder."""
        return str(self._root)

    @property
    def num_videos(self) -> int:
        """N, the number of videos, or of static images."""
        return len(self._videos)

    @property
    def white(self) -> int:
        """The value of full intensity, 255."""
        return 255

    def read(self, index: int) -> Video:
        """Return a video; see `Videos`."""
        paths = self._videos[index]
        frames = _stack(paths, [self._frame(path) for path in paths])  # [T, rows, columns(, C)]
        frames = frames[..., None] if self._mode == "L" else frames  # [T, rows, columns, C]
        name = str(paths[0].parent if len(paths) > 1 else paths[0])
        if self._masks is None:
            return Video(name, frames, None)
        masks = _stack(self._masks[index], [_ids(path) for path in self._masks[index]])
        if masks.shape != frames.shape[:-1]:
            raise DataError(
                f"{self._masks[index][0]}: expected (T, rows, columns) = {frames.shape[:-1]} as "
                f"the frames of {name} have, got {masks.shape}"
            )
        return Video(name, frames, masks)

    def _frame(self, path: Path) -> NDArray[np.uint8]:
        """Return an image as bytes, `[rows, columns]` or `[rows, columns, 3]`."""
        image = _open(path)
        kind = "L" if image.mode in _GREY_MODES else "RGB"
        if kind != self._mode and not self._convert:
            first = "grey" if self._mode == "L" else "coloured"
            raise DataError(
                f"{path}: expected a {first} image like the first one, got mode {image.mode}; "
                "make all of one kind, or ask for grey ones with grey= or --grey"
            )
        if image.has_transparency_data:
            image = image.convert("RGBA")
            black = Image.new("RGBA", image.size, (0, 0, 0, 255))
            image = Image.alpha_composite(black, image)
        return np.asarray(image.convert(self._mode))


def _videos(root: Path, suffixes: Sequence[str]) -> list[list[Path]]:
    """Return the images of each video in order; each image alone if there are no folders."""
    if not root.is_dir():
        raise DataError(f"{root}: expected a folder, found none; check the path")
    folders = sorted((p for p in root.iterdir() if is_visible(p, root) and p.is_dir()), key=_order)
    images = _images(root, suffixes)
    if images and folders:
        raise DataError(
            f"{root}: expected either images or a folder for each video, found both, "
            f"{images[0].name} and {folders[0].name}; move the images away"
        )
    videos = [_images(folder, suffixes) for folder in folders] or [[path] for path in images]
    empty = [folder for folder, video in zip(folders, videos, strict=False) if not video]
    if empty or not videos:
        raise DataError(
            f"{empty[0] if empty else root}: expected images ({', '.join(suffixes)}), found none"
        )
    return videos


def _images(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Return the images in a folder, sorted."""
    found = (p for p in folder.iterdir() if is_visible(p, folder) and p.suffix.lower() in suffixes)
    return sorted(found, key=_order)


def _order(path: Path) -> list[tuple[bool, int, str]]:
    """Return a key by which numbers in names are sorted by value."""
    parts = re.split(r"(\d+)", path.name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _masks_of(videos: list[list[Path]], frames: Path, masks: Path) -> list[list[Path]]:
    """Return the mask of each image of each video."""
    found = {path.with_suffix(""): path for video in _videos(masks, _MASKS) for path in video}
    wanted = [
        [(masks / path.relative_to(frames)).with_suffix("") for path in video] for video in videos
    ]
    for video, names in zip(videos, wanted, strict=True):
        for image, name in zip(video, names, strict=True):
            if name not in found:
                raise DataError(f"{name}{_MASKS[0]}: expected the mask of {image}, found none")
    return [[found[name] for name in names] for names in wanted]


def _open(path: Path) -> Image.Image:
    """Return an image of 8 bits, decoded."""
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f"{path}: no readable image ({error}); save it again") from error
    if image.mode[0] in "IF":
        raise DataError(f"{path}: expected 8 bits a channel, got mode {image.mode}; save it so")
    return image


def _mode(path: Path) -> str:
    return _open(path).mode


def _ids(path: Path) -> NDArray[np.uint8]:
    """Return the object ids of an image, `[rows, columns]`."""
    image = _open(path)
    if image.mode not in _ID_MODES:
        raise DataError(
            f"{path}: expected object ids as a palette's indices or as grey levels, got mode "
            f"{image.mode}; save it as an indexed or grey PNG"
        )
    return np.asarray(image).astype(np.uint8)


def _stack(paths: Sequence[Path], images: Sequence[NDArray[Any]]) -> NDArray[np.uint8]:
    """Return images of one size as an array, time first."""
    for path, image in zip(paths, images, strict=True):
        if image.shape != images[0].shape:
            raise DataError(
                f"{path}: expected (rows, columns) = {images[0].shape[:2]} as {paths[0].name} has, "
                f"got {image.shape[:2]}; the frames of a video have one size"
            )
    return np.stack(images)
