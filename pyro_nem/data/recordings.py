"""Recordings of speech: WAV files, and the SPHERE files of NIST in which TIMIT comes."""

from __future__ import annotations

import struct
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from scipy.io import wavfile

from pyro_nem.data.stored_rows import Rows, StoredRows
from pyro_nem.errors import DataError

__all__ = ["Recording", "frames_of", "read_recording", "read_wav"]

_SPHERE: Final = b"NIST_1A\n"

# Byte orders by their names in a header.
_ORDERS: Final = {"01": "<i2", "10": ">i2"}

# What SciPy has for files that are cut off, without rates or samples, or that cannot be mapped.
_DAMAGED: Final = (OSError, ValueError, ZeroDivisionError, UnboundLocalError, struct.error)


class Recording(NamedTuple):
    """Sound of one channel."""

    samples: Rows
    """16 bits, shape `[N]`; of a file that was given by its path, only where they are."""
    rate: int
    """Samples a second."""


def read_recording(path: Path) -> Recording:
    """Return a file of uncompressed samples of 16 bits, one channel, WAV or SPHERE.

    Only the header is read, so that hundreds of hours need neither memory nor open files.

    Raises
    ------
    DataError
        The file cannot be read, is neither, or has other samples.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(len(_SPHERE))
        return _read_sphere(path) if beginning == _SPHERE else read_wav(str(path), path)
    except OSError as error:
        raise DataError(
            f"{path}: expected a recording, but it cannot be read ({error}); get it again, or take "
            "it away"
        ) from error


def read_wav(name: str, source: Path | bytes) -> Recording:
    """Return a WAV file; see :func:`read_recording`.

    Parameters
    ----------
    name
        What messages call it.
    source
        Where it is, or its content.
    """
    try:
        if isinstance(source, bytes):
            rate, samples = wavfile.read(BytesIO(source))
        else:
            rate, samples = wavfile.read(source, mmap=True)
    except _DAMAGED as error:
        raise DataError(
            f"{name}: expected a WAV file, found a damaged one ({error}); get it again"
        ) from error
    if samples.dtype != np.int16 or samples.ndim != 1:
        channels = 1 if samples.ndim == 1 else samples.shape[1]
        raise DataError(
            f"{name}: expected one channel of 16-bit samples, found {channels} of "
            f"{samples.dtype}; convert it, for instance by sox -b 16 -c 1"
        )
    if isinstance(source, bytes):
        return Recording(samples, int(rate))
    return Recording(StoredRows(source, samples.dtype, samples.offset, samples.shape), int(rate))


def frames_of(samples: Rows, size: int) -> Rows:
    """Return samples `[N]` as whole frames `[N // size, size]`; the rest is left out."""
    count = len(samples) // size
    if isinstance(samples, StoredRows):
        return replace(samples, shape=(count, size))
    return samples[: count * size].reshape(-1, size)


def _read_sphere(path: Path) -> Recording:
    """Return a SPHERE file, whose text header says how long it is and what follows."""
    with path.open("rb") as file:
        file.readline()
        try:
            length = int(file.readline())
            # The two lines before are part of it.
            lines = file.read(length - file.tell()).decode("ascii").splitlines()
            # NAME -TYPE VALUE
            fields = dict(line.split(maxsplit=2)[::2] for line in lines if " -" in line)
            count, rate = int(fields["sample_count"]), int(fields["sample_rate"])
        except (ValueError, KeyError) as error:
            raise DataError(f"{path}: the SPHERE header is damaged ({error})") from error
    coding = fields.get("sample_coding", "pcm")
    found = (coding, fields.get("channel_count", "1"), fields.get("sample_n_bytes", "2"))
    order = _ORDERS.get(fields.get("sample_byte_format", "01"))
    if found != ("pcm", "1", "2") or order is None:
        raise DataError(
            f"{path}: expected one channel of uncompressed 16-bit samples, found coding {coding}, "
            f"{found[1]} channel(s), {found[2]} byte(s); decompress it by NIST's w_decode -o pcm"
        )
    if path.stat().st_size < length + 2 * count:
        raise DataError(
            f"{path}: expected {count} samples behind a header of {length} bytes, but the file is "
            "shorter; get it again"
        )
    return Recording(StoredRows(path, np.dtype(order), length, (count,)), rate)
