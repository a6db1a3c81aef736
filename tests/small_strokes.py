"""A stand-in for the files of pen strokes, so that tests need neither them nor a network."""

import hashlib
import io
import sys
import tarfile

import numpy as np
import pytest

from pyro_nem.data import data_dir, pen_strokes

FILES = {"train": 12, "test": 4}


def digits(count, seed):
    """Return drawings of one or two short strokes."""
    generator = np.random.default_rng(seed)
    made = []
    for index in range(count):
        rows = [[3 + index, 4, 0, 0]]
        for _ in range(1 + index % 2):
            moves = generator.integers(0, 2, (generator.integers(2, 6), 2))
            rows += [[dx, 1 - dy, 0, 0] if dx or not dy else [1, 1, 0, 0] for dx, dy in moves]
            rows += [[0, 0, 1, 0], [2, -3, 0, 0]]
        rows[-2:] = [[0, 0, 1, 1]]
        made.append(np.array(rows, float))
    return made


def put(folder, monkeypatch):
    """Write a few drawings, let them be the published ones, and return them."""
    content = {part: digits(count, seed) for seed, (part, count) in enumerate(FILES.items())}
    (folder / "mnist_strokes").mkdir(parents=True)
    module = pen_strokes_module()
    for part, made in content.items():
        padded = np.zeros((len(made), 117, 4))
        for row, digit in zip(padded, made, strict=True):
            row[-len(digit) :] = digit
        write(folder, part, padded, monkeypatch)
    monkeypatch.setattr(module, "_TRAINING", 9)
    monkeypatch.setenv("PYRO_NEM_DATA", str(folder))
    return content


def write(folder, part, array, monkeypatch):
    """Let an array be the published file of a part."""
    module = pen_strokes_module()
    saved, packed = io.BytesIO(), io.BytesIO()
    np.save(saved, array)
    name = f"{part}-padded-leading"
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo(f"{name}.npy")
        member.size = len(saved.getvalue())
        archive.addfile(member, io.BytesIO(saved.getvalue()))
    (folder / "mnist_strokes" / f"{name}.tar.gz").write_bytes(packed.getvalue())
    sha256 = hashlib.sha256(packed.getvalue()).hexdigest()
    monkeypatch.setitem(module.FILES, part, module.FILES[part]._replace(sha256=sha256))


def pen_strokes_module():
    """Return the module, whose name its function has taken in the package."""
    return sys.modules[pen_strokes.__module__]


MISSING = "the pen strokes are not in $PYRO_NEM_DATA"


def are_there():
    """Return whether the real files are on this machine."""
    folder = data_dir()
    return folder is not None and (folder / "mnist_strokes").is_dir()


needs_strokes = pytest.mark.skipif(not are_there(), reason=MISSING)
