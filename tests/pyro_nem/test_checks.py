"""Names and numbers of arguments, and the data that take them."""

from typing import Literal

import numpy as np
import pytest

from pyro_nem.checks import at_least, one_of
from pyro_nem.data import HDF5Frames, Noise, binary_mnist, piano_rolls
from pyro_nem.data.handwriting import to_handwriting
from pyro_nem.errors import ConfigError

MOVES = [np.ones((3, 3))]


def test_what_is_known_passes():
    one_of(("one", "two"), first="two")
    one_of(Literal["one", "two"], first="two", second="one")
    at_least(1, first=1, second=None)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: one_of(("one", "two"), a="too"), "a: expected one of one, two, got 'too'"),
        (
            lambda: one_of(Literal["one"], first="one", second=1),
            "second: expected one of one, got 1",
        ),
        (lambda: at_least(2, first=2, second=1), "second: expected at least 2, got 1"),
        (lambda: Noise("flip"), r"Noise\.kind: .* none, bitflip, masked-uniform, got 'flip'"),
        (lambda: HDF5Frames("none.h5", "train"), "split: .* training, validation, test, got"),
        (lambda: HDF5Frames("none.h5", "test", limit=0), "limit: expected at least 1, got 0"),
        (lambda: piano_rolls("bach"), "tunes: .* jsb, nottingham, got 'bach'"),
        (lambda: binary_mnist("static"), "binarization: .* dynamic, fixed, got"),
        (lambda: to_handwriting("pens", MOVES, MOVES, MOVES, "largest"), "scale: .* pooled, publ"),
    ],
)
def test_what_is_not_known_is_refused(use, message):
    with pytest.raises(ConfigError, match=message):
        use()
