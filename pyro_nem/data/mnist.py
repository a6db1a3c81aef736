"""The images of MNIST, from the files that LeCun, Cortes and Burges published."""

import gzip
import hashlib
import urllib.request
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data.folders import DATA_VARIABLE, cache_dir, data_dir
from pyro_nem.errors import DataError
from pyro_nem.files import make_directory, replacing

__all__ = ["MNIST_SIDE", "MNISTPart", "mnist_images"]

MNISTPart = Literal["train", "t10k"]

# Of the decompressed content: mirrors and their users compress it in different ways.
_SHA256: Final[dict[MNISTPart, str]] = {
    "train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "t10k": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
}
_MIRRORS: Final = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
_SECONDS: Final = 30
_HEADER_BYTES: Final = 16

MNIST_SIDE: Final = 28
"""Rows and columns of an image."""


def mnist_images(part: MNISTPart, report: Callable[[str], None] = print) -> NDArray[np.uint8]:
    """Return the images of one of MNIST's two files in the file's order.

    `mnist/<part>-images-idx3-ubyte.gz` is looked for in `$PYRO_NEM_DATA`, then in the cache, and
    else downloaded into the cache. Wherever it was, its content has to be the published one.

    Parameters
    ----------
    part
        `train` (60,000 digits) or `t10k` (10,000 digits of other writers).
    report
        Called with a line of text before a download.

    Returns
    -------
    NDArray
        Grey levels from 0 to 255; shape `[N, 28, 28]`.

    Raises
    ------
    DataError
        The file is damaged or another one, or no mirror has given it.
    StorageError
        The cache cannot be written.
    """
    name = f"{part}-images-idx3-ubyte.gz"
    cached = cache_dir() / "mnist" / name
    folder = data_dir()
    places = [cached] if folder is None else [folder / "mnist" / name, cached]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        content = _download(part, cached, report)
    else:
        try:
            content = _unpacked(part, path.read_bytes())
        except DataError as error:
            raise DataError(f"{path}: {error}; delete it to download it again") from error
    images = np.frombuffer(content, np.uint8, offset=_HEADER_BYTES)
    return images.reshape(-1, MNIST_SIDE, MNIST_SIDE)


def _download(part: MNISTPart, target: Path, report: Callable[[str], None]) -> bytes:
    """Return the content of a file from the first mirror that has it, after keeping the file."""
    failures = []
    for mirror in _MIRRORS:
        url = f"{mirror}/{target.name}"
        report(f"Downloading {url} into {target.parent} (once)")
        try:
            with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
                packed = answer.read()
            content = _unpacked(part, packed)
        # Refused connections and time-outs are OSErrors, answers cut short HTTPExceptions.
        except (OSError, HTTPException, DataError) as error:
            failures.append(f"{url}: {error}")
            continue
        make_directory(target.parent)
        with replacing(target) as temporary:
            temporary.write_bytes(packed)
        return content
    raise DataError(
        f"cannot download MNIST ({'; '.join(failures)}); get {target.name} by hand and put it into "
        f"{target.parent}, or into the folder mnist of ${DATA_VARIABLE}"
    )


def _unpacked(part: MNISTPart, packed: bytes) -> bytes:
    """Return the decompressed content of a file if it is the published one."""
    try:
        content = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"expected a gzip file, but it is damaged ({error})") from error
    found = hashlib.sha256(content).hexdigest()
    if found != _SHA256[part]:
        raise DataError(
            f"expected the images of MNIST, whose decompressed SHA-256 is {_SHA256[part]}, found "
            f"{found}"
        )
    return content
