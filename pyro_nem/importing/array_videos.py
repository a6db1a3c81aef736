"""Videos in NumPy arrays on disk."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from pyro_nem.checks import at_least
from pyro_nem.data.checks import check_groups
from pyro_nem.data.grey_levels import grey_levels
from pyro_nem.errors import ConfigError, DataError
from pyro_nem.importing.videos import Video, check_length

__all__ = ["ALL_AXES", "ArrayVideos"]

ALL_AXES = "NTHWC"
# What each letter of the axes stands for, for messages.
_MEANING = "N videos, T frames, H rows, W columns, C channels"


class ArrayVideos:
    """Videos in a `.npy` file, or in the arrays of an `.npz` archive, mapped into memory.

    Parameters
    ----------
    frames
        The file. Of an archive, the array `frames`, or its only one. bool, uint8 (255 is full
        intensity) or floats in [0, 1].
    masks
        The file of the object ids, whole numbers from 0 (not scored) to 255; of an archive, the
        array `masks`, or its only one. Without it, `masks` beside `frames`; else there are none.
    axes
        What the axes of the frames are, in their order: N videos, T frames, H rows, W columns, C
        channels. H and W have to be there, what is missing has length 1. The masks have the same
        without C, or with a C of length 1.
    limit
        Use only the first frames of each video; None for all.
    scratch
        Folder where arrays of an archive are unpacked, so that they need not fit into memory;
        whoever made it removes it. A `.npy` file needs none.

    Raises
    ------
    ConfigError
        `axes` that cannot be, a limit below 1, or an archive without `scratch`.
    DataError
        A file is missing or no array, has other axes, fewer frames than `limit` or a dtype that
        does not tell its range, or holds intensities outside [0, 1].
    """

    def __init__(
        self,
        frames: Path,
        masks: Path | None,
        *,
        axes: str = ALL_AXES,
        limit: int | None = None,
        scratch: Path | None = None,
    ) -> None:
        at_least(1, limit=limit)
        if len(set(axes)) != len(axes) or not {"H", "W"} <= set(axes) <= set(ALL_AXES):
            raise ConfigError(
                f"axes: expected letters of {ALL_AXES}, each once, with H and W ({_MEANING}), "
                f"got {axes}"
            )
        self._name = str(frames)
        values = _array(frames, "frames", scratch)
        self._frames = _ordered(self._name, values, axes)[:, :limit]  # [N, T, rows, columns, C]
        check_length(self._name, self._frames.shape[1], limit)
        _check_dtype(self._name, self._frames.dtype)
        self._masks: NDArray[Any] | None = None
        if masks is None and zipfile.is_zipfile(frames) and "masks" in _names(frames):
            masks = frames
        if masks is not None:
            ids = _array(masks, "masks", scratch)
            where = f"{masks}, masks"
            own = axes if ids.ndim == len(axes) else axes.replace("C", "")
            self._masks = _ordered(where, ids, own)[:, :limit]  # [N, T, rows, columns, 1]
            expected = (*self._frames.shape[:-1], 1)
            if self._masks.shape != expected:
                raise DataError(
                    f"{where}: expected (N, T, rows, columns, 1) = {expected} to match the frames, "
                    f"got {self._masks.shape}"
                )
        # Of all videos, also behind one that is not exact: this checks their range too.
        exact = [self._is_exact(index) for index in range(self.num_videos)]
        # Floats that are all k / 255 are as good as bytes.
        self._exact = all(exact)

    def _is_exact(self, index: int) -> bool:
        """Return whether bytes can hold the frames of a video; check that floats are in range."""
        frames = self._frames[index]  # [T, rows, columns, C]
        if frames.dtype.kind != "f":
            return True
        if not (frames.min() >= 0 and frames.max() <= 1):
            raise DataError(
                f"{self._name}, video {index}: expected floats in [0, 1], got {frames.min()} to "
                f"{frames.max()}; divide by the value of full intensity"
            )
        return grey_levels(frames) is not None

    @property
    def name(self) -> str:
        """The file of the frames."""
        return self._name

    @property
    def num_videos(self) -> int:
        """N, the number of videos."""
        return len(self._frames)

    @property
    def white(self) -> int:
        """The value of full intensity: 255 for bytes, 1 for bool and for other floats."""
        return 255 if self._exact and self._frames.dtype != np.bool_ else 1

    def read(self, index: int) -> Video:
        """Return a video; see `Videos`."""
        name = f"{self._name}, video {index}"
        frames = np.asarray(self._frames[index])  # [T, rows, columns, C]
        if frames.dtype.kind == "f":
            levels = grey_levels(frames) if self._exact else None
            frames = frames.astype(np.float32) if levels is None else levels
        masks = None if self._masks is None else check_groups(name, self._masks[index, ..., 0])
        return Video(name, frames.astype(np.uint8) if frames.dtype == bool else frames, masks)


def _array(path: Path, key: str, scratch: Path | None) -> NDArray[Any]:
    """Return an array that stays on disk, of an archive that of a name or the only one."""
    if not path.is_file():
        raise DataError(f"{path}: expected a file, found none; check the path")
    try:
        if not zipfile.is_zipfile(path):
            return open_memmap(path, mode="r")
        names = _names(path)
        chosen = names[0] if len(names) == 1 else key
        if chosen not in names:
            raise DataError(
                f"{path}: expected an array {key!r}, found {', '.join(map(repr, names))}"
            )
        if scratch is None:
            raise ConfigError(
                f"scratch: expected a folder where {path}, an archive, can be unpacked, got None; "
                "give one on a disk with room for it"
            )
        with zipfile.ZipFile(path) as archive:
            unpacked = archive.extract(f"{chosen}.npy", scratch / key)
        return open_memmap(unpacked, mode="r")
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: no readable array of NumPy ({error}); save it again") from error


def _names(path: Path) -> list[str]:
    """Return the names of the arrays of an archive."""
    with zipfile.ZipFile(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


def _check_dtype(where: str, dtype: np.dtype[Any]) -> None:
    """Check that a dtype tells what full intensity is."""
    if dtype.kind != "f" and dtype not in (np.dtype(np.bool_), np.dtype(np.uint8)):
        raise DataError(
            f"{where}: expected bool, uint8 or floats in [0, 1], got {dtype}, which does not tell "
            "what full intensity is; convert with .astype(np.uint8), or divide by it"
        )


def _ordered(where: str, array: NDArray[Any], axes: str) -> NDArray[Any]:
    """Return a view `[N, T, rows, columns, C]` of an array, axes that are missing added."""
    if array.ndim != len(axes) or 0 in array.shape:
        raise DataError(
            f"{where}: expected {len(axes)} axes {axes} ({_MEANING}), none of them empty, got "
            f"shape {array.shape}; name them with axes= or --axes"
        )
    present = [letter for letter in ALL_AXES if letter in axes]
    ordered = np.transpose(array, [axes.index(letter) for letter in present])
    missing = [place for place, letter in enumerate(ALL_AXES) if letter not in axes]
    return np.expand_dims(ordered, tuple(missing))
