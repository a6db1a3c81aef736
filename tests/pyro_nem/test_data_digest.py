"""The fingerprint of frames."""

import hashlib

import numpy as np
import pytest

from pyro_nem.data import ArrayFrames, arrays_sha256, frames_sha256
from pyro_nem.errors import ConfigError


def source(sequences=70, frames=4):
    random = np.random.default_rng(0)
    return ArrayFrames(random.integers(0, 2, (frames, sequences, 3, 3, 1), np.uint8))


def test_it_is_that_of_the_frames_that_are_asked_for():
    whole = source()
    first = whole.read(0, 66)[0][:3].astype(np.float32)  # [T, N, rows, columns, C]
    expected = hashlib.sha256(first.swapaxes(0, 1).tobytes()).hexdigest()
    assert frames_sha256(whole, 3, 66) == expected
    assert len({frames_sha256(whole, 3), frames_sha256(whole, 4), expected}) == 3


def test_what_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="frames"):
        frames_sha256(source(), 5)


def test_that_of_arrays_tells_types_and_shapes_apart():
    one = np.arange(6, dtype=np.uint8)
    same = [arrays_sha256([one]), arrays_sha256([np.arange(6, dtype=np.uint8)])]
    others = [[one.reshape(2, 3)], [one.astype(np.int8)], [one[:3], one[3:]], [one[::-1]]]
    assert same[0] == same[1]
    assert len({same[0], *map(arrays_sha256, others)}) == 5
