"""Spoken digits: the Free Spoken Digit Dataset, 3,000 short recordings of six speakers."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from pyro_nem.data.folders import data_dir
from pyro_nem.data.published import PublishedFile, published_content
from pyro_nem.data.recordings import Recording, read_wav
from pyro_nem.data.speech import Speech, to_speech
from pyro_nem.errors import DataError

__all__ = ["spoken_digits"]

_COMMIT: Final = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
_FOLDER: Final = "fsdd"
_NAME: Final = re.compile(r"(\d)_([a-z]+)_(\d+)\.wav")

# Takes of a digit by a speaker: the official test part, and those that validate.
_TEST: Final = range(5)
_VALIDATION: Final = range(5, 10)


class _Take(NamedTuple):
    """Which take of a digit by whom a recording is; sorting mixes digits and speakers."""

    number: int
    digit: int
    speaker: str


def recordings_digest(recordings: Mapping[str, bytes]) -> str:
    """Return a SHA-256 of recordings, whatever they are packed in: names and contents in order."""
    digest = hashlib.sha256()
    for name in sorted(recordings):
        digest.update(f"{name}\n".encode() + hashlib.sha256(recordings[name]).digest())
    return digest.hexdigest()


def _unpacked(archive: bytes) -> dict[str, bytes]:
    """Return the recordings in an archive of the repository, by name."""
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
            for member in members:
                path = PurePosixPath(member.name)
                if path.parent.name == "recordings" and _NAME.fullmatch(path.name):
                    file = members.extractfile(member)
                    found[path.name] = b"" if file is None else file.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(
            f"expected an archive of recordings, but it is damaged ({error})"
        ) from error
    return found


# GitHub does not promise the bytes of an archive, so what is checked is what it holds.
ARCHIVE = PublishedFile(
    "the Free Spoken Digit Dataset",
    _FOLDER,
    (f"https://github.com/Jakobovski/free-spoken-digit-dataset/archive/{_COMMIT}.tar.gz",),
    "99f8865e8969e6d27cfac01a2b04b595f5ab77dc33bfb17b06503df10abf7066",
    digest=lambda archive: recordings_digest(_unpacked(archive)),
)


def spoken_digits(report: Callable[[str], None] = print) -> Speech:
    """Return the spoken digits at 8 kHz.

    The official split: takes 0 to 4 of each digit and speaker test, 300 recordings. Of the others
    takes 5 to 9, 300 recordings, validate. Speakers are in all parts. Mean and standard deviation
    are those of all 2,700 official training recordings.

    The folder `fsdd/recordings` is looked for in `$PYRO_NEM_DATA`; without it the repository's
    archive, there or in the cache, is downloaded once.

    Parameters
    ----------
    report
        Called with a line of text before a download.

    Raises
    ------
    DataError
        The recordings are damaged or others, or cannot be downloaded.
    StorageError
        The cache cannot be written.
    """
    takes = {}
    for name, content in _recordings(report).items():
        match = _NAME.fullmatch(name)
        assert match is not None
        take = _Take(int(match[3]), int(match[1]), match[2])
        takes[take] = read_wav(name, content)

    def those(chosen: Callable[[int], bool]) -> list[Recording]:
        return [takes[take] for take in sorted(takes) if chosen(take.number)]

    return to_speech(
        "spoken digits",
        those(lambda number: number not in _TEST and number not in _VALIDATION),
        those(lambda number: number in _VALIDATION),
        those(lambda number: number in _TEST),
        scaled_by=those(lambda number: number not in _TEST),
    )


def _recordings(report: Callable[[str], None]) -> dict[str, bytes]:
    """Return the content of the WAV files by name, checked."""
    data = data_dir()
    folder = None if data is None else data / _FOLDER / "recordings"
    if folder is None or not folder.is_dir():
        return _unpacked(published_content(ARCHIVE, report))
    found = {
        path.name: path.read_bytes() for path in folder.iterdir() if _NAME.fullmatch(path.name)
    }
    digest = recordings_digest(found)
    if digest != ARCHIVE.sha256:
        raise DataError(
            f"{folder}: expected the 3,000 recordings of {ARCHIVE.title}, whose SHA-256 is "
            f"{ARCHIVE.sha256}, found {len(found)} whose is {digest}; remove the folder to "
            "download them"
        )
    return found
