"""Sequences of unequal length in padded batches, and the piano rolls among them."""

import itertools

import numpy as np
import pytest
import small_rolls
import torch
from answers import answer
from small_rolls import needs_rolls

from pyro_nem.data import (
    Scaling,
    SequenceSet,
    Share,
    pad,
    padded_batches,
    piano_rolls,
    shuffled_batches,
)
from pyro_nem.errors import ConfigError, DataError

LENGTHS = (3, 5, 1, 4, 2, 6, 2)


def numbered(lengths=LENGTHS):
    """A set in which every number tells its sequence and step."""
    return SequenceSet(
        "numbers",
        [np.stack([np.full(t, n), np.arange(t)], 1) for n, t in enumerate(lengths, start=1)],
    )


def members(batch):
    return batch.x[0, :, 0].long().tolist()


def test_padding_comes_after_the_end():
    batch = pad(numbered().sequences[:3])
    assert batch.x.shape == (5, 3, 2)
    assert batch.x.dtype == torch.float32
    assert batch.lengths.tolist() == [3, 5, 1]
    assert torch.equal(batch.mask.sum(0), batch.lengths)
    assert torch.equal(batch.mask[:, 0], torch.tensor([1, 1, 1, 0, 0]).bool())
    assert (batch.x[~batch.mask] == 0).all()
    for index, sequence in enumerate(numbered().sequences[:3]):
        np.testing.assert_array_equal(batch.x[: len(sequence), index].numpy(), sequence)


def test_all_sequences_come_in_order():
    assert [members(b) for b in padded_batches(numbered(), batch_size=3)] == [
        [1, 2, 3],
        [4, 5, 6],
        [7],
    ]
    second = padded_batches(numbered(), batch_size=3, share=Share(1, 2))
    assert [members(b) for b in second] == [[4, 5, 6]]


def test_the_order_of_training_is_a_function_of_seed_and_update():
    def batches(**options):
        return shuffled_batches(numbered(), batch_size=3, **{"seed": 0, **options})

    seen = [members(b) for b in itertools.islice(batches(), 8)]
    for epoch in range(4):
        two = seen[2 * epoch] + seen[2 * epoch + 1]
        assert len(set(two)) == 6
    assert len({tuple(b) for b in seen}) > 4
    for start in (1, 2, 5):
        assert [members(b) for b in itertools.islice(batches(start=start), 8 - start)] == seen[
            start:
        ]
    assert [members(b) for b in itertools.islice(batches(seed=1), 8)] != seen
    parts = [
        [members(b) for b in itertools.islice(batches(share=Share(i, 3)), 8)] for i in range(3)
    ]
    assert [a + b + c for a, b, c in zip(*parts, strict=True)] == seen


def test_the_mean_is_over_steps():
    source = SequenceSet("two", [np.array([[0.0], [0.0], [3.0]]), np.array([[1.0]])])
    torch.testing.assert_close(source.mean(), torch.tensor([1.0]))
    assert source.num_steps == 4
    assert source.first(1).num_steps == 3


def test_shuffled_sequences_keep_what_belongs_to_them():
    steps = [None, np.full((1, 2), 8.0), *[None] * 5]
    kept = numbered().sequences
    source = SequenceSet("numbers", kept, Scaling(np.ones(2), np.full(2, 2.0)), steps)
    one, again, other = (source.shuffled(seed) for seed in (1, 1, 2))
    orders = [members(pad(found.sequences)) for found in (one, again, other)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == [1, 2, 3, 4, 5, 6, 7] != orders[0]
    assert one.scaling is source.scaling
    assert one.batch([orders[0].index(2)]).before.tolist() == [[3.5, 3.5]]


def test_pieces_know_the_step_before_them():
    source = SequenceSet("numbers", numbered().sequences[:3], Scaling(np.ones(2), np.full(2, 2.0)))
    pieces = source.pieces(2)
    # Of 3, 5 and 1 steps; a number is its sequence and step, here less 1 and halved.
    lengths, expected = [2, 1, 2, 2, 1, 1], [None, (1, 1), None, (2, 1), (2, 3), None]
    assert [len(piece) for piece in pieces.sequences] == lengths
    before = pieces.batch(range(6)).before
    assert before.tolist() == [
        [0.0, 0.0] if step is None else [(number - 1) / 2 for number in step] for step in expected
    ]
    cut_again = pieces.pieces(1)
    assert cut_again.batch([1, 5]).before.tolist() == [[0.0, -0.5], [0.5, 0.0]]
    assert pieces.first(2).batch([1]).before.tolist() == [[0.0, 0.0]]
    assert source.batch([0]).before is source.pieces(2, connected=False).batch([0]).before is None
    like = torch.zeros((), dtype=torch.float64)
    assert pieces.batch([1]).to(like).before.dtype == torch.float64


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ([], "at least one sequence"),
        (np.zeros((0, 3, 2)), "at least one sequence"),
        ([np.zeros((2, 3)), np.zeros((0, 3))], r"sequence 1: expected \[steps, 3\] .* \(0, 3\)"),
        ([np.zeros((2, 3)), np.zeros((2, 4))], r"found \(2, 4\)"),
        ([np.zeros((3, 2)), np.zeros((3, 1))], r"sequence 1: .* found \(3, 1\)"),
        (np.zeros((5, 6)), r"sequence 0: expected \[steps, D\] .* found \(6,\)"),
        ([[[1.0], [2.0]]], "sequence 0: expected a NumPy array, found list; convert it"),
        (torch.zeros(2, 3, 1), "sequence 0: expected a NumPy array, found Tensor; convert it"),
        ([np.zeros((2, 1), complex)], "expected real numbers, found the dtype complex128"),
        ([np.array([["a"]])], "expected real numbers, found the dtype <U1"),
    ],
)
def test_impossible_sequences_are_refused(sequences, message):
    for make in (lambda: SequenceSet("odd", sequences), lambda: pad(sequences)):
        with pytest.raises(DataError, match=message):
            make()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"before": [None]}, r"before: expected a step or None for each of the 2 .* found 1"),
        ({"before": [None] * 3}, "found 3"),
        ({"before": [None, np.zeros((1, 1))]}, r"before sequence 1: expected \[1, 2\] .* \(1, 1\)"),
        ({"before": [None, np.zeros((3, 2))]}, r"before sequence 1: expected \[1, 2\] .* \(3, 2\)"),
        ({"scaling": Scaling(np.zeros(3), np.ones(2))}, r"a mean for each of the 2 .* \(3,\)"),
        ({"scaling": Scaling(np.zeros(2), np.ones(1))}, r"a std for each of the 2 .* \(1,\)"),
        ({"scaling": Scaling(np.zeros(2), np.array([1.0, 0.0]))}, "std to be above 0, found 0.0"),
        ({"scaling": Scaling(np.array([0.0, np.nan]), np.ones(2))}, "scaling: expected finite"),
    ],
)
def test_what_does_not_fit_the_sequences_is_refused(options, message):
    sequences = numbered((3, 2)).sequences
    for make in (
        lambda: SequenceSet("odd", sequences, **options),
        lambda: pad(sequences, **options),
    ):
        with pytest.raises(DataError, match=message):
            make()


def test_sequences_have_finite_numbers():
    with pytest.raises(DataError, match="odd, sequence 1: expected finite numbers"):
        SequenceSet("odd", [np.zeros((2, 3)), np.full((2, 3), np.nan)])


def test_an_array_of_sequences_is_a_set_of_them():
    source = SequenceSet("whole", np.zeros((5, 6, 2)))
    assert (len(source), source.num_steps, source.size) == (5, 30, 2)


def test_impossible_batches_are_refused():
    with pytest.raises(ConfigError, match="has 7 sequences, fewer than one batch of 8"):
        shuffled_batches(numbered(), batch_size=8, seed=0)
    with pytest.raises(ConfigError, match="share each batch equally"):
        shuffled_batches(numbered(), batch_size=4, seed=0, share=Share(0, 3))
    with pytest.raises(ConfigError, match="batch_size: expected at least 1"):
        list(padded_batches(numbered(), batch_size=0))
    with pytest.raises(DataError, match="chosen: expected the index of at least one sequence"):
        numbered().batch([])
    with pytest.raises(ConfigError, match="most: expected at least 1, got 0"):
        numbered().batch([0], most=0)


def test_a_batch_is_the_chosen_sequences_padded():
    source = numbered()
    cut = [rows[:4] for rows in (source.sequences[5], source.sequences[0])]
    for found, expected in zip(source.batch([5, 0], most=4), pad(cut), strict=True):
        assert (found is expected is None) or torch.equal(found, expected)


def test_rolls_are_those_of_the_file(tmp_path, monkeypatch):
    content = small_rolls.put(tmp_path, monkeypatch)
    found = piano_rolls("jsb")
    assert [len(found[split]) for split in ("training", "validation", "test")] == [4, 1, 2]
    for mine, theirs in zip(found["test"].sequences, content["testdata"][0], strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_missing_file_of_rolls_is_downloaded_and_checked(tmp_path, monkeypatch):
    small_rolls.put(tmp_path / "there", monkeypatch)
    file = (tmp_path / "there" / "polyphonic" / "JSB_Chorales.mat").read_bytes()
    monkeypatch.delenv("PYRO_NEM_DATA")
    monkeypatch.setenv("PYRO_NEM_CACHE", str(tmp_path / "cache"))
    answer(monkeypatch, file + b"x", file)
    with pytest.raises(DataError, match=r"expected the JSB Chorales .* SHA-256 is .* by hand"):
        piano_rolls("jsb", report=lambda line: None)
    lines = []
    assert len(piano_rolls("jsb", lines.append)["test"]) == 2
    assert "JSB_Chorales.mat" in lines[0]
    assert len(piano_rolls("jsb", pytest.fail)["test"]) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"testdata": None}, "test: expected the entry 'testdata'"),
        ({"validdata": np.full((1, 1), None)}, "validation: expected rolls"),
        ({"traindata": np.full((1, 1), None)}, "training: expected rolls"),
    ],
)
def test_other_content_is_refused(tmp_path, monkeypatch, changes, message):
    for key, roll in (
        ("validdata", np.zeros((4, 87), np.uint8)),
        ("traindata", np.full((4, 88), 2)),
    ):
        if key in changes:
            changes[key][0, 0] = roll
    small_rolls.put(tmp_path, monkeypatch, **changes)
    with pytest.raises(DataError, match=message):
        piano_rolls("jsb")


@needs_rolls
@pytest.mark.parametrize(
    ("tunes", "counts", "steps"),
    [
        ("jsb", [229, 76, 77], [13_807, 4_602, 4_725]),
        ("nottingham", [694, 173, 170], [176_561, 45_513, 44_463]),
    ],
)
def test_the_real_rolls_have_the_published_sizes(tunes, counts, steps):
    found = piano_rolls(tunes).values()
    assert [len(split) for split in found] == counts
    assert [split.num_steps for split in found] == steps
