"""MNIST as bits, for models that have a likelihood: drawn anew each time, or once and for all."""

import io
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

import numpy as np
from scipy.io import loadmat

from pyro_nem.checks import one_of
from pyro_nem.data.image_set import ImageSet
from pyro_nem.data.mnist import MNIST_SIDE, mnist_images
from pyro_nem.data.mnist_bitmaps import TRAINING_DIGITS
from pyro_nem.data.published import PublishedFile, published_content
from pyro_nem.errors import DataError

__all__ = ["BINARIZED_FILES", "BinarizationName", "BinaryMNIST", "binary_mnist"]

BinarizationName = Literal["dynamic", "fixed"]

_COMMIT: Final = "9b5f74da4e4009c5556e8d7a87c88c8e291c253d"
_ADDRESS: Final = f"https://raw.githubusercontent.com/mingzhang-yin/ARM-gradient/{_COMMIT}"

_SHA256: Final = {
    "train": "79a0312c7389d855cfc97e3812de3998417c5829d8a51543b56a90a91252ae7e",
    "valid": "7436afc856959075c7787025bb8a4ba2b520b9230ee39667c66aa7dd2819dd68",
    "test": "5bc30222e1e7896cbccd1e1db6b28540cc1230f4d2d5473841a5f6cc54be8d38",
}

BINARIZED_FILES: Final = {
    part: PublishedFile(
        "the binarised MNIST of Salakhutdinov and Murray",
        "binarized_mnist",
        (f"{_ADDRESS}/binarized_mnist_{part}.amat",),
        sha256,
    )
    for part, sha256 in _SHA256.items()
}
"""The files, which are MATLAB's whatever their names say."""

# Of the bits that validate and test, and of the order of these images, which are sorted in the
# files: by digit or by writer, so that the first ones are no sample of all.
_SEED: Final = 0


class BinaryMNIST(NamedTuple):
    """Images of 28x28 pixels."""

    training: ImageSet
    """50,000 images, grey levels being probabilities of bits if the binarisation is dynamic."""
    validation: ImageSet
    """10,000 images of 0 and 255, shuffled."""
    test: ImageSet
    """10,000 images of 0 and 255 of other writers, shuffled."""


def binary_mnist(
    binarization: BinarizationName = "dynamic", report: Callable[[str], None] = print
) -> BinaryMNIST:
    """Return MNIST for a model of bits.

    Parameters
    ----------
    binarization
        `dynamic`: the first 50,000 digits of MNIST's training file in grey levels, which
        :func:`bit_batches` turns into new bits each time. Its other 10,000 digits validate and
        the test file tests; their bits are drawn once, with a seed that never changes. `fixed`: the
        three files of Salakhutdinov and Murray (2008).
    report
        Called with a line of text before a download.

    Raises
    ------
    ConfigError
        The binarisation is neither of these.
    DataError
        A file is damaged or another one, or cannot be downloaded.
    StorageError
        The cache cannot be written.
    """
    one_of(BinarizationName, binarization=binarization)
    if binarization == "fixed":
        parts = [_fixed(part, report) for part in BINARIZED_FILES]
    else:
        digits = mnist_images("train", report)
        parts = [
            ImageSet("MNIST, training", digits[:TRAINING_DIGITS]),
            ImageSet("MNIST, validation", digits[TRAINING_DIGITS:]).binarised(_SEED),
            ImageSet("MNIST, test", mnist_images("t10k", report)).binarised(_SEED),
        ]
    training, *held_out = parts
    return BinaryMNIST(training, *(part.shuffled(_SEED) for part in held_out))


def _fixed(part: str, report: Callable[[str], None]) -> ImageSet:
    """Return the images of a file as 0 and 255."""
    file = BINARIZED_FILES[part]
    bits = loadmat(io.BytesIO(published_content(file, report))).get("X")
    pixels = MNIST_SIDE * MNIST_SIDE
    if bits is None or bits.ndim != 2 or bits.shape[1] != pixels or bits.max(initial=0) > 1:
        raise DataError(
            f"{file.name}: expected the entry 'X', [images, {pixels}] of 0 and 1, found "
            f"{'none' if bits is None else f'{list(bits.shape)} up to {bits.max(initial=0)}'}"
        )
    levels = bits.astype(np.uint8).reshape(-1, MNIST_SIDE, MNIST_SIDE) * np.uint8(255)
    return ImageSet(file.name, levels)
