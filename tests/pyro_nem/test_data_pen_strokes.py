"""Pen strokes of digits, and the numbers that stand for their tuples."""

import numpy as np
import pytest
import small_strokes
from small_strokes import needs_strokes

from pyro_nem.data import TupleCode, pen_strokes
from pyro_nem.errors import DataError


def test_tuples_that_occur_once_share_the_last_number():
    rows = np.array([[1, 0, 0, 0], [-1, 2, 0, 0], [1, 0, 0, 0], [9, 9, 0, 0], [-1, 2, 0, 0]])
    code = TupleCode.of(rows)
    assert code.size == 3
    numbers = code.encode(rows)
    assert numbers[0] == numbers[2] != numbers[1] == numbers[4]
    assert numbers[3] == 2
    assert code.encode(np.array([[5, 5, 1, 0]])).tolist() == [2]
    known = rows[[0, 1, 2, 4]]
    np.testing.assert_array_equal(code.decode(code.encode(known)), known)
    assert code.decode(np.array([2])).tolist() == [[0, 0, 0, 0]]


def test_digits_are_those_of_the_files_without_the_zeros_in_front(tmp_path, monkeypatch):
    content = small_strokes.put(tmp_path, monkeypatch)
    found = pen_strokes()
    assert [len(part) for part in (found.training, found.validation, found.test)] == [9, 3, 4]
    all_training = np.concatenate(content["train"][:9])
    own = found.code.encode(all_training) < found.code.size - 1
    assert 0 < own.sum() < len(own)
    train, test = content["train"], content["test"]
    orders = [np.random.default_rng(0).permutation(count) for count in (3, 4)]
    held_out = [train[9 + index] for index in orders[0]], [test[index] for index in orders[1]]
    splits = (found.training, found.validation, found.test)
    for split, digits in zip(splits, (train[:9], *held_out), strict=True):
        for numbers, digit in zip(split.sequences, digits, strict=True):
            assert numbers.shape == (len(digit), 1)
            decoded = found.code.decode(numbers[:, 0])
            known = numbers[:, 0] < found.code.size - 1
            np.testing.assert_array_equal(decoded[known], digit[known])
            assert known[-1]


def test_an_array_of_another_shape_is_refused(tmp_path, monkeypatch):
    small_strokes.put(tmp_path, monkeypatch)
    small_strokes.write(tmp_path, "test", np.zeros((3, 117)), monkeypatch)
    with pytest.raises(DataError, match=r"expected \[digits, steps, 4\], found \(3, 117\)"):
        pen_strokes()


@needs_strokes
def test_the_real_digits_have_the_published_sizes():
    found = pen_strokes()
    assert [len(part) for part in (found.training, found.validation, found.test)] == [
        55_000,
        5_000,
        10_000,
    ]
    assert found.test.num_steps == 394_103
    assert max(len(sequence) for sequence in found.training.sequences) == 117
    shared = sum((s == found.code.size - 1).sum() for s in found.test.sequences)
    assert shared == 65
