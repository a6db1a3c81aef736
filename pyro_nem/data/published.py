"""Published files: found on this machine or downloaded once, their content always checked."""

import gzip
import hashlib
import io
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import pooch

from pyro_nem.data.folders import DATA_VARIABLE, cache_dir, data_dir
from pyro_nem.errors import DataError
from pyro_nem.files import make_directory, replacing

__all__ = ["PublishedFile", "published_content"]

_SECONDS: Final = 30
_CHUNK: Final = 2**16
_GZIP: Final = b"\x1f\x8b"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class PublishedFile(NamedTuple):
    """A file that others have published."""

    title: str
    """What it is, for messages."""
    folder: str
    """Its folder within `$PYRO_NEM_DATA` and the cache."""
    addresses: tuple[str, ...]
    """Where it can be downloaded; all end in its name."""
    sha256: str
    """Digest of its content, decompressed if it is compressed."""
    gzipped: bool = False
    """Whether it is compressed; mirrors do that in different ways, and a file may be without."""
    digest: Callable[[bytes], str] = _sha256
    """Gives that digest; may raise DataError."""

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.addresses[0].rsplit("/", 1)[-1]


def published_content(file: PublishedFile, report: Callable[[str], None] = print) -> bytes:
    """Return the content of a file, decompressed.

    It is looked for in `$PYRO_NEM_DATA`, then in the cache, and else downloaded into the cache.
    Wherever it was, its content has to be the published one.

    Parameters
    ----------
    file
        Which one.
    report
        Called with a line of text before a download.

    Raises
    ------
    DataError
        The file is damaged or another one, or no address has given it.
    StorageError
        The cache cannot be written.
    """
    cached = cache_dir() / file.folder / file.name
    folder = data_dir()
    places = [cached] if folder is None else [folder / file.folder / file.name, cached]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return _download(file, cached, report)
    try:
        return _checked(file, path.read_bytes())
    except DataError as error:
        raise DataError(f"{path}: {error}; delete it to download it again") from error


def _download(file: PublishedFile, target: Path, report: Callable[[str], None]) -> bytes:
    """Return the content of a file from the first address that has it, after keeping the file."""
    fetch = pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty(), chunk_size=_CHUNK, timeout=_SECONDS
    )
    failures = []
    for url in file.addresses:
        report(f"Downloading {url} into {target.parent} (once)")
        try:
            answer = io.BytesIO()
            fetch(url, answer, None)
            stored = answer.getvalue()
            content = _checked(file, stored)
        # All errors of requests are OSErrors.
        except (OSError, DataError) as error:
            failures.append(f"{url}: {error}")
            continue
        make_directory(target.parent)
        with replacing(target) as temporary:
            temporary.write_bytes(stored)
        return content
    raise DataError(
        f"cannot download {file.title} ({'; '.join(failures)}); get {target.name} by hand and put "
        f"it into {target.parent}, or into the folder {file.folder} of ${DATA_VARIABLE}"
    )


def _checked(file: PublishedFile, stored: bytes) -> bytes:
    """Return the decompressed content of a file if it is the published one."""
    content = stored
    # Where a server calls the compression an encoding, requests has undone it.
    if file.gzipped and stored.startswith(_GZIP):
        try:
            content = gzip.decompress(stored)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"expected a gzip file, but it is damaged ({error})") from error
    found = file.digest(content)
    if found != file.sha256:
        which = "decompressed SHA-256" if file.gzipped else "SHA-256"
        raise DataError(f"expected {file.title}, whose {which} is {file.sha256}, found {found}")
    return content
