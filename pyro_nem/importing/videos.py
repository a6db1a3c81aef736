"""Videos of a user, read one at a time."""

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pyro_nem.errors import DataError

__all__ = ["Video", "Videos", "check_length"]


class Video(NamedTuple):
    """One video, or an image as a video of one frame."""

    name: str
    """What error messages call it."""
    frames: NDArray[Any]
    """uint8 from 0 to the source's `white`, or float32 in [0, 1]; `[T, rows, columns, C]`."""
    masks: NDArray[np.uint8] | None
    """Object of each pixel, 0 where not scored, `[T, rows, columns]`; None without labels."""


class Videos(Protocol):
    """Where videos come from; satisfied by `ArrayVideos` and `FolderVideos`."""

    @property
    def name(self) -> str:
        """What error messages call the source."""

    @property
    def num_videos(self) -> int:
        """N, at least 1."""

    @property
    def white(self) -> int:
        """The value of full intensity: 255 for bytes, else 1."""

    def read(self, index: int) -> Video:
        """Return a video, checked.

        Raises
        ------
        DataError
            It is damaged, or no video of this source.
        """


def check_length(where: str, frames: int, limit: int | None) -> None:
    """Check that a video has as many frames as are to be used, None standing for all.

    Raises
    ------
    DataError
        It has fewer.
    """
    if limit is not None and frames < limit:
        raise DataError(
            f"{where}: expected at least {limit} frames, got {frames}; ask for fewer with "
            "limit= or --length"
        )
