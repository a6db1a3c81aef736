"""What the thread that reads ahead reads, holds and leaves behind."""

import gc
import threading
import time
import weakref

import h5py
import numpy as np
import pytest
import torch

from pyro_nem.data import ArrayFrames, HDF5Frames, epoch_batches
from pyro_nem.data.read_ahead import read_ahead
from pyro_nem.errors import DataError


class Item:
    """What can be watched while it lives."""


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert threads() == []


def test_items_come_in_order_and_each_is_read_once():
    read = []

    def square(key):
        read.append(key)
        return key * key

    assert list(read_ahead(square, range(5))) == [0, 1, 4, 9, 16]
    assert read == [0, 1, 2, 3, 4]
    assert list(read_ahead(square, [])) == []


def test_one_item_is_read_ahead_and_no_more():
    read = []
    items = read_ahead(read.append, range(5))
    assert read == []
    next(items)
    until(lambda: read == [0, 1])
    time.sleep(0.05)
    assert read == [0, 1]
    next(items)
    until(lambda: read == [0, 1, 2])
    items.close()


def test_the_next_item_is_read_while_the_present_one_is_in_use():
    caller = threading.get_ident()
    reader = []
    used, read = threading.Event(), threading.Event()

    def wait(key):
        reader.append(threading.get_ident())
        if key == 1:
            assert used.wait(10)
            read.set()
        return key

    items = read_ahead(wait, range(2))
    assert next(items) == 0
    used.set()
    assert read.wait(10)
    assert list(items) == [1]
    assert caller not in reader


def test_no_more_than_two_items_live():
    alive = weakref.WeakSet()

    def make(key):
        item = Item()
        alive.add(item)
        most.append(len(alive))
        return item

    most = []
    for item in read_ahead(make, range(20)):
        time.sleep(0.001)
        del item
    assert max(most) == 2


def test_an_error_comes_where_the_item_would_have_come():
    def read(key):
        if key == 2:
            raise DataError("damaged")
        seen.append(key)
        return key

    seen = []
    items = read_ahead(read, range(5))
    assert [next(items), next(items)] == [0, 1]
    with pytest.raises(DataError, match="damaged"):
        next(items)
    assert seen == [0, 1]
    assert list(items) == []


def test_leaving_early_ends_the_thread():
    source = ArrayFrames(np.zeros((2, 640, 2, 2, 1)))
    options = {"frames": 2, "batch_size": 8, "seed": 0, "epoch": 0, "window": 64}
    for _batch in epoch_batches(source, **options):
        break
    gc.collect()
    assert threads() == []
    batches = epoch_batches(source, **options)
    next(batches)
    assert len(threads()) == 1
    batches.close()


@pytest.fixture
def path(tmp_path):
    random = np.random.default_rng(0)
    arrays = random.integers(0, 2, (2, 3, 400, 4, 5, 1), np.uint8)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for key, array in zip(("features", "groups"), arrays, strict=True):
            file.create_dataset(f"training/{key}", data=array, compression="gzip")
    return tmp_path / "a.h5"


OPTIONS = {"frames": 3, "batch_size": 24, "seed": 0, "epoch": 0, "window": 64}


@pytest.mark.parametrize("skip", [0, 5])
def test_batches_are_the_same_with_and_without(path, skip):
    with HDF5Frames(path, "training") as source:
        ahead, plain = (
            list(epoch_batches(source, **OPTIONS, skip=skip, prefetch=prefetch))
            for prefetch in (True, False)
        )
    assert len(ahead) == 400 // 24 - skip
    for left, right in zip(ahead, plain, strict=True):
        assert torch.equal(left.frames, right.frames)
        assert torch.equal(left.groups, right.groups)


def test_a_file_closed_meanwhile_is_a_data_error(path):
    source = HDF5Frames(path, "training")
    batches = epoch_batches(source, **OPTIONS)
    next(batches)
    source.close()
    with pytest.raises(DataError, match=r"a\.h5.*the file is closed; keep it open"):
        list(batches)


def test_a_file_may_be_closed_before_the_batches_are(path):
    source = HDF5Frames(path, "training")
    batches = epoch_batches(source, **OPTIONS)
    next(batches)
    source.close()
    batches.close()
    with h5py.File(path, "a"):  # fails while anyone holds the file
        pass
