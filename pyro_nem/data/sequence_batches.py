"""The batches in which sequences of unequal length are trained on and scored."""

from __future__ import annotations

from collections.abc import Iterator

from pyro_nem.checks import at_least
from pyro_nem.data.sequence_batch import SequenceBatch
from pyro_nem.data.sequence_schedule import SequenceSchedule
from pyro_nem.data.sequences import SequenceSet
from pyro_nem.data.share import WHOLE, Share
from pyro_nem.errors import ConfigError

__all__ = ["padded_batches", "shuffled_batches"]

_WHOLE_SEQUENCES = SequenceSchedule()


def padded_batches(
    source: SequenceSet, *, batch_size: int, share: Share = WHOLE
) -> Iterator[SequenceBatch]:
    """Yield all sequences, in the order of the set; the last batch may be smaller.

    Parameters
    ----------
    source
        The data.
    batch_size
        B, the sequences of each batch but the last.
    share
        The batches are dealt out in turns, and only those of this share are returned.

    Raises
    ------
    ConfigError
        The batch size is below 1.
    """
    at_least(1, batch_size=batch_size)
    for start in range(share.index * batch_size, len(source), share.count * batch_size):
        stop = min(start + batch_size, len(source))
        yield source.batch(range(start, stop))


def shuffled_batches(
    source: SequenceSet,
    *,
    batch_size: int,
    seed: int,
    start: int = 0,
    share: Share = WHOLE,
    schedule: SequenceSchedule = _WHOLE_SEQUENCES,
) -> Iterator[SequenceBatch]:
    """Yield the batches of updates `start`, `start + 1`, ... without end; epochs follow each other.

    The order of an epoch is a function of seed and epoch, see :func:`epoch_order`, so that a
    resumed run sees what an uninterrupted one does. An epoch's last incomplete batch is dropped.

    Parameters
    ----------
    source
        The data.
    batch_size
        B, the sequences of each batch.
    seed
        Fixes the order.
    start
        Number of the first batch, counted from 0 over all epochs.
    share
        The part of each batch that is returned; all shares together have the batch.
    schedule
        A replay buffer or a curriculum.

    Raises
    ------
    ConfigError
        There are fewer sequences than one batch, the batch cannot be shared equally, or nothing of
        it would be new.
    """
    at_least(1, batch_size=batch_size)
    at_least(0, start=start)
    if len(source) < batch_size:
        raise ConfigError(
            f"batch_size: {source.name} has {len(source)} sequences, fewer than one batch of "
            f"{batch_size}; choose a smaller batch"
        )
    # What cannot be shared or scheduled is refused now and not at the first batch.
    share.size(batch_size)
    schedule.new_sequences(batch_size)
    return _shuffled(source, batch_size, seed, start, share, schedule)


def _shuffled(
    source: SequenceSet,
    batch_size: int,
    seed: int,
    start: int,
    share: Share,
    schedule: SequenceSchedule,
) -> Iterator[SequenceBatch]:
    size = share.size(batch_size)
    own = slice(share.index * size, (share.index + 1) * size)
    longest = source.longest
    order = schedule.batches(len(source), batch_size=batch_size, seed=seed, start=start)
    for update, chosen in enumerate(order, start):
        most = schedule.length(update, longest)
        batch = source.batch(chosen[own], most)
        if share.count > 1:
            steps = source.steps_of(chosen, most)
            batch = batch._replace(mean_steps=steps / share.count)
        yield batch
