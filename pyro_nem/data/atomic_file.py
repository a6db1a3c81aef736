"""A file that appears whole or not at all, even when the disk fills up under HDF5."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from pyro_nem.files import replacing

__all__ = ["FailSafeFile", "atomic_file"]


class FailSafeFile:
    """The file object below HDF5, which never tells it that a write failed.

    HDF5 2.0 writes late and cannot close a file after a failed write: the interpreter then dies
    of a segmentation fault. So a failure is remembered here, later writes are dropped, HDF5
    closes in good order, and `check` raises what went wrong. Only the methods that h5py's
    `fileobj` driver calls exist.
    """

    def __init__(self, raw: FileIO) -> None:
        self._raw = raw
        self._failure: OSError | KeyboardInterrupt | None = None

    def check(self) -> None:
        """Raise the failure of an earlier write, if there was one."""
        if self._failure is not None:
            raise self._failure

    def write(self, data: memoryview) -> int:
        """Write all of `data`, or remember why that failed."""
        rest = data
        try:
            # A raw file may take less than it is given, and h5py does not look.
            while self._failure is None and len(rest) > 0:
                rest = rest[self._raw.write(rest) :]
        except (OSError, KeyboardInterrupt) as error:
            self._failure = error
        return len(data)

    def truncate(self, size: int) -> int:
        """Set the size of the file, or remember why that failed."""
        try:
            if self._failure is None:
                self._raw.truncate(size)
        except (OSError, KeyboardInterrupt) as error:
            self._failure = error
        return size

    def readinto(self, buffer: memoryview) -> int:
        """Read into `buffer` from the present position."""
        return self._raw.readinto(buffer)

    def read(self, size: int) -> bytes:
        """Read from the present position; h5py recognises a file by this method."""
        return self._raw.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position."""
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._raw.tell()

    def flush(self) -> None:
        """Do nothing: raw files hold nothing back."""


@contextmanager
def atomic_file(path: Path) -> Iterator[FailSafeFile]:
    """Open a file for HDF5 to write that replaces `path` if the block ends without an error.

    Raises
    ------
    StorageError
        The file system refused, for instance because the disk is full.
    """
    with replacing(path) as temporary, FileIO(temporary, "r+") as raw:
        file = FailSafeFile(raw)
        try:
            yield file
        finally:
            file.check()  # explains whatever else went wrong after it
