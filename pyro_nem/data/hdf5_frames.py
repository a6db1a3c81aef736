"""Frames of an HDF5 file, read when asked for."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from pyro_nem.checks import at_least, one_of
from pyro_nem.data.checks import (
    check_collisions,
    check_features,
    check_groups,
    check_labels,
    check_layout,
    check_range,
)
from pyro_nem.data.layout import SPLITS, WHITE_KEY
from pyro_nem.errors import DataError

__all__ = ["HDF5Frames"]


class HDF5Frames:
    """A `FrameSource` over one split of a file in the published layout (see `data.layout`).

    Opened read-only and checked at once; pixels are read and checked when asked for, so memory
    stays small whatever the file's size. Any dtype, chunking and compression works: the
    published files and our own both do. Close it, or use it as a context manager.

    Parameters
    ----------
    path
        The HDF5 file.
    split
        `training`, `validation` or `test`.
    limit
        Use at most this many of the first sequences; None for all. The paper validates on the
        first 1,000.

    Raises
    ------
    ConfigError
        An unknown split or a limit below 1.
    DataError
        The file is missing, truncated, of another format, or lacks a split or its features; or the
        shapes of its datasets are not those of the layout.
    """

    def __init__(self, path: Path | str, split: str, limit: int | None = None) -> None:
        one_of(SPLITS, split=split)
        at_least(1, limit=limit)
        self._name = f"{path}, split {split!r}"
        with ExitStack() as stack:
            self._file = stack.enter_context(_open(Path(path)))
            self._features, self._groups = self._datasets(split)
            check_layout(self._name, self._features, self._groups)
            self._white = int(self._features.attrs.get(WHITE_KEY, 1))
            stack.pop_all()  # everything is in order: keep the file open
        stored = int(self._features.shape[1])
        self._num_sequences = stored if limit is None else min(stored, limit)

    def _datasets(self, split: str) -> tuple[h5py.Dataset, h5py.Dataset | None]:
        """Return features and groups of a split, None if it has no groups."""
        group = self._file.get(split)
        if not isinstance(group, h5py.Group):
            raise DataError(
                f"{self._file.filename}: expected a group {split!r}, found {_keys(self._file)}; a "
                f"file has the splits {', '.join(SPLITS)}, dealt out by python -m "
                "experiments.import_frames or written by write_frames"
            )
        for key in ("features", "groups"):
            missing = key not in group and key != "features"
            if not missing and not isinstance(group.get(key), h5py.Dataset):
                raise DataError(f"{self._name}: expected a dataset {key!r}, found {_keys(group)}")
        return group["features"], group.get("groups")

    @property
    def name(self) -> str:
        """File and split, as error messages call them."""
        return self._name

    @property
    def num_sequences(self) -> int:
        """N, the number of sequences, at most `limit`."""
        return self._num_sequences

    @property
    def num_frames(self) -> int:
        """T, the stored frames of each sequence; 1 marks static images."""
        return int(self._features.shape[0])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Rows, columns and channels."""
        _, _, rows, columns, channels = map(int, self._features.shape)
        return rows, columns, channels

    @property
    def white(self) -> int:
        """What `read` returns for full intensity: 255 if the file holds bytes, else 1."""
        return self._white

    def read(self, start: int, stop: int) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
        """Return sequences `start` to `stop` (exclusive), freshly read and checked.

        Returns
        -------
        features
            Intensities times `white`, in the file's dtype; shape `[T, n, rows, columns, C]`.
        groups
            Object ids; shape `[T, n, rows, columns, 1]`. None if the split has no such key.

        Raises
        ------
        ConfigError
            The range is empty or leaves the split.
        DataError
            The file is damaged there or closed, an intensity is out of range, or a group is no id.
        """
        where = self._where(start, stop)
        features = _read(where, self._features, start, stop)  # [T, n, rows, columns, C]
        features = check_features(where, features, self._white)
        if self._groups is None:
            return features, None
        groups = _read(where, self._groups, start, stop)  # [T, n, rows, columns, 1]
        return features, check_groups(where, groups)

    def read_collisions(self, start: int, stop: int) -> NDArray[np.uint8] | None:
        """Return where objects of sequences `start` to `stop` (exclusive) met others.

        Nothing of this key is read or checked before.

        Returns
        -------
        collisions
            A mask of 0 and 1; shape `[T, n, rows, columns, 1]`. None if the split has no such key.

        Raises
        ------
        ConfigError
            The range is empty or leaves the split.
        DataError
            The file is damaged there or closed, the shape is not that of the groups, or a value is
            neither 0 nor 1.
        """
        where = self._where(start, stop)
        dataset = self._features.parent.get("collisions")
        if dataset is None:
            return None
        check_labels(self._name, "collisions", dataset, self._features.shape)
        return check_collisions(where, _read(where, dataset, start, stop))

    def _where(self, start: int, stop: int) -> str:
        """Return a name for a range of sequences after checking it."""
        check_range(self._name, start, stop, self._num_sequences)
        where = f"{self._name}, sequences {start} to {stop}"
        _check_open(where, self._features)
        return where

    def close(self) -> None:
        """Close the file; reading is over."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _open(path: Path) -> h5py.File:
    """Open a file read-only."""
    if not path.is_file():
        raise DataError(f"{path}: expected an HDF5 file, found none; check the path")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DataError(
            f"{path}: not a readable HDF5 file, truncated or of another format ({error}); make or "
            "download it again"
        ) from error


def _read(where: str, dataset: h5py.Dataset, start: int, stop: int) -> NDArray[Any]:
    """Return sequences `start` to `stop` (exclusive) of a dataset, time first."""
    try:
        values: NDArray[Any] = dataset[:, start:stop]
    except (OSError, RuntimeError, ValueError) as error:
        # Another thread may close the file at any time, and h5py then raises one of several.
        _check_open(where, dataset)
        key = dataset.name.rpartition("/")[2]
        raise DataError(
            f"{where}: cannot read {key!r}, the file is damaged ({error}); make or download it "
            "again"
        ) from error
    return values


def _check_open(where: str, dataset: h5py.Dataset) -> None:
    """Check that the file of a dataset has not been closed."""
    if not dataset:
        raise DataError(f"{where}: the file is closed; keep it open while it is read")


def _keys(group: h5py.Group) -> str:
    """Return the names inside a group, for a message."""
    return ", ".join(map(repr, group)) or "nothing"
