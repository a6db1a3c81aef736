"""The published layout: round trips, refusals, and nothing half written."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from pyro_nem.data import FrameBlock, HDF5Frames, Split, write_frames
from pyro_nem.data import atomic_file as atomic_file_module
from pyro_nem.errors import ConfigError, DataError, StorageError


def block(n, seed=0, dtype=np.uint8, frames=3):
    rng = np.random.default_rng(seed)
    features = rng.integers(0, 2, (frames, n, 5, 4, 2)).astype(dtype)
    return FrameBlock(features, rng.integers(0, 4, (frames, n, 5, 4, 1)).astype(np.uint8))


def whole(blocks):
    return [np.concatenate([block[key] for block in blocks], axis=1) for key in (0, 1)]


def collided(n, seed=0):
    rng = np.random.default_rng(seed)
    return block(n, seed)._replace(collisions=rng.integers(0, 2, (3, n, 5, 4, 1), np.uint8))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_round_trip(tmp_path, dtype):
    path = tmp_path / "frames.h5"
    training = [block(70, 1, dtype), block(70, 2, dtype), block(9, 3, dtype)]
    splits = {
        "training": Split(149, iter(training)),
        "test": Split(4, [block(4, 4, dtype)]),
    }
    write_frames(path, splits, {"seed": 5, "generator": "noise"})
    assert os.listdir(tmp_path) == ["frames.h5"]
    with h5py.File(path) as file:
        assert dict(file.attrs) == {"seed": 5, "generator": "noise"}
        assert set(file) == {"training", "test"}
        assert file["training/features"].dtype == dtype
        assert file["training/features"].chunks == (3, 64, 5, 4, 2)
    features, groups = whole(training)
    with HDF5Frames(path, "training") as source:
        assert source.num_sequences == 149
        assert source.num_frames == 3
        assert source.image_shape == (5, 4, 2)
        read_features, read_groups = source.read(60, 149)
    np.testing.assert_array_equal(read_features, features[:, 60:])
    np.testing.assert_array_equal(read_groups, groups[:, 60:])


def test_collisions_are_stored_beside_the_groups(tmp_path):
    path = tmp_path / "frames.h5"
    blocks = [collided(64, 1), collided(9, 2)]
    write_frames(path, {"training": Split(73, blocks), "test": Split(3, [block(3)])}, {})
    with h5py.File(path) as file:
        assert set(file["training"]) == {"features", "groups", "collisions"}
        assert set(file["test"]) == {"features", "groups"}
    expected = np.concatenate([block.collisions for block in blocks], axis=1)
    with HDF5Frames(path, "training") as source:
        np.testing.assert_array_equal(source.read_collisions(60, 73), expected[:, 60:])
    with HDF5Frames(path, "test") as source:
        assert source.read_collisions(0, 3) is None


def test_groups_may_be_missing(tmp_path):
    path = tmp_path / "frames.h5"
    features = block(3).features
    write_frames(path, {"training": Split(3, [FrameBlock(features)])}, {})
    with h5py.File(path) as file:
        assert set(file["training"]) == {"features"}
    with HDF5Frames(path, "training") as source:
        found, groups = source.read(0, 3)
    np.testing.assert_array_equal(found, features)
    assert groups is None


def test_chunks_of_large_frames_divide_the_sequences_that_are_read_at_once(tmp_path):
    path = tmp_path / "frames.h5"
    large = FrameBlock(*np.zeros((2, 51, 64, 64, 64, 1), np.uint8))
    write_frames(path, {"test": Split(64, [large])}, {})
    with h5py.File(path) as file:
        assert file["test/features"].chunks == (51, 16, 64, 64, 1)


def test_an_earlier_file_is_replaced(tmp_path):
    path = tmp_path / "frames.h5"
    for n in (3, 4):
        write_frames(path, {"test": Split(n, [block(n)])}, {})
    with HDF5Frames(path, "test") as source:
        assert source.num_sequences == 4


@pytest.mark.parametrize(
    ("count", "blocks", "message"),
    [
        (5, [block(4)], "'test'.*expected 5 sequences.*hold 4"),
        (3, [block(2), block(2)], "'test', key 'features'.*sequences 2 to 4 of 3"),
        (2, [], "'test'.*hold 0"),
        (4, [block(2), block(2, frames=4)], r"key 'features'.*\(4, 2, 5, 4, 2\).*expected \(3, 2"),
        (2, [FrameBlock(block(2).features, block(1).groups)], "key 'groups'"),
        (2, [block(2)._replace(collisions=collided(1).collisions)], "key 'collisions'.*shape"),
        (
            4,
            [block(2), FrameBlock(block(2).features)],
            "key 'groups': sequences 2 to 4 are .* lack",
        ),
        (4, [collided(2), block(2)], "key 'collisions': sequences 2 to 4 are the first that lack"),
        (4, [block(2), collided(2)], "key 'collisions': sequences 2 to 4 are the first that have"),
    ],
)
def test_blocks_that_do_not_fit_are_refused(tmp_path, count, blocks, message):
    path = tmp_path / "frames.h5"
    with pytest.raises(DataError, match=message) as caught:
        write_frames(path, {"test": Split(count, blocks)}, {})
    assert str(path) in str(caught.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("splits", [{}, {"train": Split(1, [block(1)])}])
def test_split_names_are_checked(tmp_path, splits):
    with pytest.raises(ConfigError, match="splits: expected some of training, validation, test"):
        write_frames(tmp_path / "frames.h5", splits, {})


def test_full_disk_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / "frames.h5"
    write_frames(path, {"test": Split(3, [block(3)])}, {"seed": 1})
    before = path.read_bytes()

    class FullDisk(io.FileIO):
        def write(self, data):
            if self.tell() + len(data) > 2000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    monkeypatch.setattr(atomic_file_module, "FileIO", FullDisk)
    consumed = []

    def blocks():
        for seed in range(100):
            consumed.append(seed)
            yield block(64, seed, frames=20)

    with pytest.raises(StorageError, match="No space left on device") as caught:
        write_frames(path, {"test": Split(6400, blocks())}, {"seed": 2})
    assert str(path) in str(caught.value)
    assert len(consumed) < 10  # it stops early
    assert os.listdir(tmp_path) == ["frames.h5"]
    assert path.read_bytes() == before


def test_a_disk_that_is_full_only_when_the_file_is_closed(tmp_path, monkeypatch):
    sizes = []

    class Counted(io.FileIO):
        def write(self, data):
            if len(sizes) == most:
                raise OSError(errno.ENOSPC, "No space left on device")
            sizes.append(len(data))
            return super().write(data)

    monkeypatch.setattr(atomic_file_module, "FileIO", Counted)
    path, most = tmp_path / "frames.h5", None
    write_frames(path, {"test": Split(9, [block(9)])}, {})
    path.unlink()
    most = len(sizes) - 1
    sizes.clear()
    with pytest.raises(StorageError, match="No space left on device"):
        write_frames(path, {"test": Split(9, [block(9)])}, {})
    assert os.listdir(tmp_path) == []


def test_a_file_system_that_takes_a_little_at_a_time(tmp_path, monkeypatch):
    class Slow(io.FileIO):
        def write(self, data):
            return super().write(data[:7])

    monkeypatch.setattr(atomic_file_module, "FileIO", Slow)
    whole_block = block(9)
    write_frames(tmp_path / "frames.h5", {"test": Split(9, [whole_block])}, {})
    with HDF5Frames(tmp_path / "frames.h5", "test") as source:
        np.testing.assert_array_equal(source.read(0, 9)[0], whole_block.features)


def test_ctrl_c_inside_a_write_is_raised(tmp_path, monkeypatch):
    class Interrupted(io.FileIO):
        def write(self, data):
            raise KeyboardInterrupt

    monkeypatch.setattr(atomic_file_module, "FileIO", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_frames(tmp_path / "frames.h5", {"test": Split(2, [block(2)])}, {})
    assert os.listdir(tmp_path) == []


def test_an_interrupt_leaves_nothing_behind(tmp_path):
    def interrupted():
        yield block(2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_frames(tmp_path / "frames.h5", {"test": Split(4, interrupted())}, {})
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_the_process_survives_writes_that_the_system_refuses(tmp_path):
    # A limit on file size is the nearest thing to a full disk that needs no privileges. Through
    # its own drivers, HDF5 ends such a process with a segmentation fault.
    program = """
import resource, sys
from pathlib import Path
import numpy as np
from pyro_nem.data import FrameBlock, Split, write_frames
from pyro_nem.errors import StorageError
noise = np.random.default_rng(0).integers(0, 2, (20, 100, 28, 28, 1), np.uint8)
for limit in (10, 100, 3_000, 100_000, 300_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write_frames(Path(sys.argv[1]), {"test": Split(100, [FrameBlock(noise, noise)])}, {})
    except StorageError as error:
        print("refused:", error)
"""
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "frames.h5")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert [line[:21] for line in run.stdout.splitlines()] == ["refused: cannot write"] * 5
    assert run.stderr == ""
    assert os.listdir(tmp_path) == []


def test_a_folder_that_does_not_exist_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="nowhere"):
        write_frames(tmp_path / "nowhere" / "frames.h5", {"test": Split(1, [block(1)])}, {})
