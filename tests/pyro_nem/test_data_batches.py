"""Order, skipping and shapes of batches."""

import numpy as np
import pytest
import torch

from pyro_nem.data import (
    ArrayFrames,
    Share,
    epoch_batches,
    num_batches,
    ordered_batches,
    read_batch,
)
from pyro_nem.errors import ConfigError


def numbered(num_sequences, frames=3, labels=True, collisions=True):
    """Sequence n has intensity n / N, group n % 7 and collisions if n % 3 = 0 everywhere."""
    number = np.arange(num_sequences)[:, None, None, None]
    shape = (frames, num_sequences, 2, 3, 1)
    features = np.broadcast_to(number / num_sequences, shape)
    groups = np.broadcast_to(number % 7, shape) if labels else None
    mask = np.broadcast_to(number % 3 == 0, shape) if collisions else None
    return ArrayFrames(features, groups, name="numbered", collisions=mask)


def members(batch, source):
    return (batch.frames[0, :, 0, 0, 0].double() * source.num_sequences).round().long().tolist()


class Counting:
    """A source that remembers what was read from it."""

    def __init__(self, source):
        self._source = source
        self.read_ranges = []
        self.collision_ranges = []

    def __getattr__(self, name):
        return getattr(self._source, name)

    def read(self, start, stop):
        self.read_ranges.append((start, stop))
        return self._source.read(start, stop)

    def read_collisions(self, start, stop):
        self.collision_ranges.append((start, stop))
        return self._source.read_collisions(start, stop)


class Plain:
    """A source of five members, as someone may bring."""

    name = "plain"

    def __init__(self, source):
        self.num_sequences = source.num_sequences
        self.num_frames = source.num_frames
        self.image_shape = source.image_shape
        self.read = source.read


def epoch(source, **changes):
    options = {"frames": 3, "batch_size": 8, "seed": 1, "epoch": 0, "window": 128}
    return list(epoch_batches(source, **(options | changes)))


@pytest.mark.parametrize("window", [1, 64, 100, 1024])
@pytest.mark.parametrize("batch_size", [1, 8, 96])
def test_every_sequence_is_seen_exactly_once(window, batch_size):
    source = numbered(96 * 4)
    batches = epoch(source, window=window, batch_size=batch_size)
    assert len(batches) == num_batches(source, batch_size) == 384 // batch_size
    seen = [member for batch in batches for member in members(batch, source)]
    assert sorted(seen) == list(range(384))
    assert seen != list(range(384))


def test_the_incomplete_batch_is_dropped_and_changes_with_the_epoch():
    source = numbered(203)
    dropped = []
    for number in range(4):
        batches = epoch(source, epoch=number)
        assert [batch.frames.shape[1] for batch in batches] == [8] * 25
        seen = {member for batch in batches for member in members(batch, source)}
        assert len(seen) == 200
        dropped.append(frozenset(range(203)) - seen)
    assert len(set(dropped)) > 1


def test_order_is_a_function_of_seed_and_epoch():
    source = numbered(400)

    def order(**changes):
        return [members(batch, source) for batch in epoch(source, **changes)]

    assert order(seed=3, epoch=5) == order(seed=3, epoch=5)
    assert order(seed=3, epoch=5) != order(seed=3, epoch=6)
    assert order(seed=3, epoch=5) != order(seed=4, epoch=5)


def test_who_meets_in_a_batch_changes_from_epoch_to_epoch():
    source = numbered(512)
    sets = [{frozenset(members(b, source)) for b in epoch(source, epoch=e)} for e in (0, 1)]
    assert not sets[0] & sets[1]


def test_groups_belong_to_their_frames():
    source = numbered(203)
    for batch in epoch(source):
        expected = torch.tensor(members(batch, source)) % 7
        assert (batch.groups == expected[None, :, None, None]).all()


def in_order(source, **options):
    return list(ordered_batches(source, frames=3, batch_size=8, **options))


@pytest.mark.parametrize("batches", [epoch, in_order])
def test_collisions_belong_to_their_frames(batches):
    source = numbered(203)
    for batch in batches(source, collisions=True):
        expected = torch.tensor(members(batch, source)) % 3 == 0
        assert batch.collisions.dtype == torch.bool
        assert batch.collisions.shape == batch.groups.shape
        assert (batch.collisions == expected[None, :, None, None]).all()


@pytest.mark.parametrize("batches", [epoch, in_order])
def test_collisions_are_read_only_if_they_are_asked_for(batches):
    source = Counting(numbered(203))
    assert all(batch.collisions is None for batch in batches(source))
    assert source.read_ranges
    assert not source.collision_ranges
    batches(source, collisions=True)
    assert source.collision_ranges


@pytest.mark.parametrize("source", [numbered(40, collisions=False), Plain(numbered(40))])
def test_sources_without_collisions_give_none(source):
    for batch in (*epoch(source, collisions=True), *in_order(source, collisions=True)):
        assert batch.collisions is None
        assert batch.groups is not None


@pytest.mark.parametrize("window", [64, 128, 1024])
@pytest.mark.parametrize("skip", [0, 1, 7, 24, 25])
def test_skipping_equals_the_rest_of_the_epoch(window, skip):
    source = numbered(203)
    full = epoch(source, window=window)
    rest = epoch(source, window=window, skip=skip)
    assert len(rest) == 25 - skip
    for left, right in zip(full[skip:], rest, strict=True):
        assert torch.equal(left.frames, right.frames)
        assert torch.equal(left.groups, right.groups)


def test_skipped_windows_are_not_read():
    source = Counting(numbered(64 * 8))
    epoch(source, window=64, batch_size=64)
    assert len(source.read_ranges) == 8
    source.read_ranges.clear()
    epoch(source, window=64, batch_size=64, skip=6)
    assert len(source.read_ranges) == 2


@pytest.mark.parametrize(("prefetch", "windows"), [(False, 1), (True, 2)])
def test_reading_is_lazy_and_by_long_runs(prefetch, windows):
    source = Counting(numbered(1000))
    options = {"frames": 3, "batch_size": 8, "seed": 0, "epoch": 0, "window": 256}
    batches = epoch_batches(source, **options, prefetch=prefetch)
    assert not source.read_ranges
    next(batches)
    batches.close()  # waits for the reading
    assert len(source.read_ranges) == 4 * windows
    assert all(start % 64 == 0 and stop - start in (64, 40) for start, stop in source.read_ranges)


@pytest.mark.parametrize("labels", [True, False])
def test_a_batch_is_float32_in_memory_of_its_own(labels):
    features = np.random.default_rng(0).random((5, 6, 2, 3, 1))
    before = features.copy()
    groups = np.ones((5, 6, 2, 3), int) if labels else None
    source = ArrayFrames(features, groups, collisions=groups)
    batch = read_batch(source, 1, 4, frames=3, collisions=True)
    assert batch.frames.shape == (3, 3, 2, 3, 1)
    assert batch.frames.dtype == torch.float32
    np.testing.assert_allclose(batch.frames.numpy(), features[:3, 1:4], rtol=1e-6)
    assert (batch.groups is not None) == (batch.collisions is not None) == labels
    if labels:
        assert batch.groups.shape == batch.collisions.shape == (3, 3, 2, 3)
        assert batch.groups.dtype == torch.uint8
    batch.frames.zero_()
    np.testing.assert_array_equal(features, before)


def test_batches_without_labels():
    source = numbered(203, labels=False)
    assert all(batch.groups is None for batch in epoch(source))


@pytest.mark.parametrize("batches", [epoch, lambda s, **o: list(ordered_batches(s, **o))])
def test_static_images_are_repeated_without_a_copy(batches):
    source = numbered(16, frames=1)
    for batch in batches(source, frames=5, batch_size=8, collisions=True):
        assert batch.frames.shape == (5, 8, 2, 3, 1)
        for labels in (batch.groups, batch.collisions):
            assert labels.shape == (5, 8, 2, 3)
            assert labels.stride(0) == 0
        assert batch.frames.stride(0) == 0
        assert (batch.frames == batch.frames[0]).all()


def test_ordered_batches_keep_order_and_the_partial_last():
    source = numbered(21)
    batches = list(ordered_batches(source, frames=2, batch_size=8))
    assert [batch.frames.shape[:2] for batch in batches] == [(2, 8), (2, 8), (2, 5)]
    assert [m for batch in batches for m in members(batch, source)] == list(range(21))


def test_of_the_first_sequences_no_more_is_read():
    source = Counting(numbered(21))
    batches = list(ordered_batches(source, frames=2, batch_size=8, sequences=11))
    assert [m for batch in batches for m in members(batch, source)] == list(range(11))
    assert source.read_ranges == [(0, 8), (8, 11)]


@pytest.mark.parametrize(("batch_size", "window"), [(8, 1), (96, 64), (96, 1024)])
def test_the_shares_of_a_batch_make_up_the_batch(batch_size, window):
    source = numbered(96 * 4 + 5)
    options = {"batch_size": batch_size, "window": window, "skip": 1}
    parts = [epoch(source, share=Share(i, 4), **options) for i in range(4)]
    whole = epoch(source, **options)
    for batch, *shared in zip(whole, *parts, strict=True):
        assert torch.equal(torch.cat([part.frames for part in shared], 1), batch.frames)
        assert torch.equal(torch.cat([part.groups for part in shared], 1), batch.groups)
        assert shared[0].frames.shape[1] == batch_size // 4


def test_ordered_batches_are_dealt_out_in_turns():
    source = Counting(numbered(21))
    options = {"frames": 2, "batch_size": 4, "sequences": 18}
    parts = [list(ordered_batches(source, share=Share(i, 2), **options)) for i in range(2)]
    found = [[members(batch, source) for batch in part] for part in parts]
    assert found == [
        [[0, 1, 2, 3], [8, 9, 10, 11], [16, 17]],
        [[4, 5, 6, 7], [12, 13, 14, 15]],
    ]
    assert len(source.read_ranges) == 5


@pytest.mark.parametrize(
    "call",
    [
        lambda s: read_batch(s, 0, 2, frames=4),
        lambda s: ordered_batches(s, frames=4, batch_size=2),
        lambda s: epoch_batches(s, frames=4, batch_size=2, seed=0, epoch=0),
    ],
)
def test_too_few_frames_name_the_source(call):
    with pytest.raises(ConfigError, match="numbered has 3 frames a sequence, 4 were asked"):
        call(numbered(10))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 11}, "batch_size: numbered has 10 sequences, fewer than one batch of 11"),
        ({"batch_size": 0}, "batch_size.*got 0"),
        ({"frames": 0}, "frames.*got 0"),
        ({"window": 0}, "window.*got 0"),
        ({"skip": -1}, "skip"),
        ({"epoch": -1}, "epoch"),
        ({"share": Share(0, 3)}, "batch_size: 3 processes share .* 8 is no multiple of 3"),
    ],
)
def test_arguments_are_checked_at_the_call(changes, message):
    options = {"frames": 3, "batch_size": 8, "seed": 1, "epoch": 0} | changes
    with pytest.raises(ConfigError, match=message):
        epoch_batches(numbered(10), **options)


@pytest.mark.parametrize("name", ["frames", "batch_size", "sequences"])
def test_ordered_batches_have_something_in_them(name):
    with pytest.raises(ConfigError, match=f"{name}: expected at least 1, got 0"):
        ordered_batches(numbered(10), **{"frames": 3, "batch_size": 8, name: 0})
