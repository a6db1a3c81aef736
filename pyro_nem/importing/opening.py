"""From paths to videos."""

from pathlib import Path

from pyro_nem.errors import ConfigError
from pyro_nem.importing.array_videos import ALL_AXES, ArrayVideos
from pyro_nem.importing.folder_videos import FolderVideos
from pyro_nem.importing.videos import Videos

__all__ = ["open_videos"]


def open_videos(
    frames: Path,
    masks: Path | None = None,
    *,
    axes: str | None = None,
    grey: bool = False,
    limit: int | None = None,
    scratch: Path | None = None,
) -> Videos:
    """Return the videos in a folder of images, or in a `.npy` or `.npz` file.

    The arguments are those of `FolderVideos` and `ArrayVideos`.

    Raises
    ------
    ConfigError
        `axes` of images, a limit below 1, or an archive without `scratch`.
    DataError
        Something is missing, damaged or does not fit together, or has fewer frames than `limit`.
    """
    if not frames.is_dir():
        return ArrayVideos(frames, masks, axes=axes or ALL_AXES, limit=limit, scratch=scratch)
    if axes is not None:
        raise ConfigError(f"axes: describes arrays, but {frames} is a folder; leave it out")
    return FolderVideos(frames, masks, grey=grey, limit=limit)
