"""A stand-in for the files of MNIST, so that tests need neither them nor a network."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

from pyro_nem.data import data_dir, mnist, mnist_bitmaps, mnist_bits

NAMES = {part: f"{part}-images-idx3-ubyte.gz" for part in ("train", "t10k")}
TRAINING = 30


def images(count, seed):
    """Return images of 28x28 in which a box of random size and place has random levels."""
    generator = np.random.default_rng(seed)
    made = np.zeros((count, 28, 28), np.uint8)
    for image in made:
        top, left = generator.integers(0, 9, 2)
        rows, columns = generator.integers(6, 20, 2)
        image[top : top + rows, left : left + columns] = generator.integers(1, 256, (rows, columns))
    return made


def idx(made):
    """Return images as the content of a file of MNIST."""
    return struct.pack(">4i", 2051, *made.shape) + made.tobytes()


SETS = {"train": images(40, 0), "t10k": images(10, 1)}


def put(folder, monkeypatch):
    """Write 40 digits for training and validation and 10 to test, and let them be MNIST's."""
    (folder / "mnist").mkdir(parents=True)
    for part, made in SETS.items():
        (folder / "mnist" / NAMES[part]).write_bytes(gzip.compress(idx(made)))
    accept(monkeypatch)
    monkeypatch.setenv("PYRO_NEM_DATA", str(folder))
    return SETS


def accept(monkeypatch):
    """Let these digits be MNIST's in this process."""
    digests = {part: hashlib.sha256(idx(made)).hexdigest() for part, made in SETS.items()}
    monkeypatch.setattr(mnist, "_SHA256", digests)
    for module in (mnist_bitmaps, mnist_bits):
        monkeypatch.setattr(module, "TRAINING_DIGITS", TRAINING)


MISSING = "the files of MNIST are not in $PYRO_NEM_DATA"


def is_there():
    """Return whether the real MNIST is on this machine."""
    folder = data_dir()
    return folder is not None and all((folder / "mnist" / n).is_file() for n in NAMES.values())


needs_mnist = pytest.mark.skipif(not is_there(), reason=MISSING)


FIXED_MISSING = "the binarised files of MNIST are not in $PYRO_NEM_DATA"


def fixed_is_there():
    """Return whether the published bits are on this machine."""
    folder = data_dir()
    return folder is not None and (folder / "binarized_mnist").is_dir()


needs_fixed = pytest.mark.skipif(not fixed_is_there(), reason=FIXED_MISSING)
