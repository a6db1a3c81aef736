"""The images of MNIST, from the files that LeCun, Cortes and Burges published."""

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pyro_nem.data.published import PublishedFile, published_content

__all__ = ["MNIST_SIDE", "MNISTPart", "mnist_images"]

MNISTPart = Literal["train", "t10k"]

_SHA256: Final[dict[MNISTPart, str]] = {
    "train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "t10k": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
}
_MIRRORS: Final = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
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
    file = PublishedFile(
        "the images of MNIST",
        "mnist",
        tuple(f"{mirror}/{name}" for mirror in _MIRRORS),
        _SHA256[part],
        gzipped=True,
    )
    content = published_content(file, report)
    images = np.frombuffer(content, np.uint8, offset=_HEADER_BYTES)
    return images.reshape(-1, MNIST_SIDE, MNIST_SIDE)
