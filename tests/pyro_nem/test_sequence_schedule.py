"""Replay buffers and curricula are functions of seed and update."""

import itertools

import numpy as np
import pytest

from pyro_nem.data import SequenceSchedule, SequenceSet, Share, shuffled_batches
from pyro_nem.data.order import epoch_order
from pyro_nem.data.share import WHOLE
from pyro_nem.errors import ConfigError

COUNT = 23


def taken(schedule, count, start=0, batch_size=4, seed=3):
    order = schedule.batches(COUNT, batch_size=batch_size, seed=seed, start=start)
    return list(itertools.islice(order, count))


def test_without_a_buffer_the_epochs_follow_each_other():
    expected = [
        batch
        for epoch in range(3)
        for batch in epoch_order(COUNT, batch_size=4, seed=3, epoch=epoch).tolist()
    ]
    assert taken(SequenceSchedule(), len(expected)) == expected


@pytest.mark.parametrize("memory", [1, 3, 8])
def test_a_share_of_each_batch_was_new_in_the_last_updates(memory):
    schedule = SequenceSchedule(replay=0.5, memory=memory)
    batches = taken(schedule, 60)
    new = [batch[:2] for batch in batches]
    assert new == taken(SequenceSchedule(), 60, batch_size=2)
    reached = set()
    for update, batch in enumerate(batches[1:], 1):
        held = new[max(0, update - memory) : update]
        pool = list(itertools.chain(*held))
        assert len(batch) == 4
        assert set(batch[2:]) <= set(pool)
        reached |= {len(held) - i for i, two in enumerate(held) if set(two) & set(batch[2:])}
    # Drawn from the whole of the buffer.
    assert {1, memory} <= reached
    assert taken(schedule, 60, seed=4) != batches
    for start in (1, 17, 50):
        assert taken(schedule, 60 - start, start=start) == batches[start:]


def test_the_first_batch_replays_itself():
    first = taken(SequenceSchedule(replay=0.75), 1)[0]
    assert first == [first[0]] * 4


def test_sequences_are_cut_to_a_length_that_grows():
    schedule = SequenceSchedule(curriculum=8, shortest=3)
    assert [schedule.length(u, 11) for u in range(10)] == [3, 4, 5, 6, 7, 8, 9, 10, 11, 11]
    assert SequenceSchedule(curriculum=8, shortest=3).length(0, 2) == 2
    assert SequenceSchedule().length(0, 11) == 11
    lengths = (2, 5, 11, 7)
    source = SequenceSet("numbers", [np.arange(1.0, 1.0 + t)[:, None] for t in lengths])

    def batches(share=WHOLE, start=0):
        options = {"batch_size": 4, "seed": 0, "share": share, "schedule": schedule}
        return list(itertools.islice(shuffled_batches(source, start=start, **options), 10 - start))

    for update, batch in enumerate(batches()):
        cut = min(3 + update, 11)
        assert sorted(batch.lengths.tolist()) == sorted(min(t, cut) for t in lengths)
        # Each is cut at its end.
        assert (batch.x[:, :, 0].sum(0) == batch.lengths * (batch.lengths + 1) / 2).all()
    assert batches(start=6)[0].lengths.tolist() == batches()[6].lengths.tolist()
    halves = [batches(Share(rank, 2)) for rank in range(2)]
    for whole, one, other in zip(batches(), *halves, strict=True):
        assert one.mean_steps == other.mean_steps == whole.lengths.sum() / 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replay": 1.0}, r"replay: expected a share in \[0, 1\), got 1.0"),
        ({"replay": float("nan")}, "replay: expected a share"),
        ({"memory": 0}, "memory: expected at least 1, got 0"),
        ({"curriculum": -1}, "curriculum: expected at least 0, got -1"),
        ({"shortest": 0}, "shortest: expected at least 1, got 0"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        SequenceSchedule(**options)


def test_a_batch_of_nothing_new_is_refused_at_once():
    source = SequenceSet("numbers", [np.zeros((2, 1))] * 4)
    with pytest.raises(ConfigError, match="leaves no new sequence in a batch of 2"):
        shuffled_batches(source, batch_size=2, seed=0, schedule=SequenceSchedule(replay=0.9))
    with pytest.raises(ConfigError, match=r"a share of 0\.2 of a batch of 2 is less than half"):
        shuffled_batches(source, batch_size=2, seed=0, schedule=SequenceSchedule(replay=0.2))
    with pytest.raises(ConfigError, match="batch_size: expected 1 to 4"):
        next(SequenceSchedule().batches(4, batch_size=5, seed=0))
