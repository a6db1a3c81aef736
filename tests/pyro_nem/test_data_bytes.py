"""Images of 8 bits are stored as bytes and come out as intensities."""

import h5py
import numpy as np
import pytest
import torch

from pyro_nem.data import (
    FrameBlock,
    HDF5Frames,
    ResidentFrames,
    Split,
    epoch_batches,
    epoch_order,
    read_batch,
    write_frames,
)
from pyro_nem.errors import DataError


def frames(n=70, channels=3, dtype=np.uint8):
    generator = np.random.default_rng(0)
    features = generator.integers(0, 256, (3, n, 4, 5, channels)).astype(dtype)
    return FrameBlock(features, np.zeros((3, n, 4, 5, 1), np.uint8))


@pytest.fixture
def file(tmp_path):
    write_frames(tmp_path / "bytes.h5", {"training": Split(70, [frames()], white=255)}, {})
    return tmp_path / "bytes.h5"


def test_bytes_are_stored_as_they_are(file):
    with h5py.File(file) as opened:
        features = opened["training/features"]
        assert features.dtype == np.uint8
        assert features.attrs["white"] == 255
        np.testing.assert_array_equal(features[:], frames().features)
    with HDF5Frames(file, "training") as source:
        assert source.white == 255
        np.testing.assert_array_equal(source.read(3, 5)[0], frames().features[:, 3:5])


def test_batches_hold_intensities(file):
    expected = frames().features / np.float32(255)
    with HDF5Frames(file, "training") as source:
        batch = read_batch(source, 3, 9, frames=2)
        np.testing.assert_array_equal(batch.frames, expected[:2, 3:9])
        # The last batch is joined from two windows, of 64 and of 6 sequences.
        options = {"batch_size": 14, "seed": 0, "epoch": 0, "window": 64}
        order = epoch_order(70, **options)
        for here, batch in zip(order, epoch_batches(source, frames=3, **options), strict=True):
            np.testing.assert_array_equal(batch.frames, expected[:, here])


def test_resident_frames_equal_those_of_the_file(file):
    options = {"batch_size": 16, "seed": 1, "epoch": 2}
    with HDF5Frames(file, "training") as source:
        resident = ResidentFrames(source, frames=3, device="cpu", groups=False)
        assert resident.num_bytes == frames().features.nbytes
        order = epoch_order(70, **options)
        for here, batch in zip(order, epoch_batches(source, frames=3, **options), strict=True):
            assert torch.equal(resident.gather(here), batch.frames)


@pytest.mark.parametrize(("white", "dtype"), [(1, np.float32), (255, np.float32), (100, np.int16)])
def test_any_white_gives_the_same_from_file_and_device(tmp_path, white, dtype):
    values = (np.random.default_rng(0).random((2, 20, 4, 4, 1)) * white).astype(dtype)
    block = FrameBlock(values, np.zeros(values.shape, np.uint8))
    write_frames(tmp_path / "x.h5", {"test": Split(20, [block], white=white)}, {})
    with HDF5Frames(tmp_path / "x.h5", "test") as source:
        batch = read_batch(source, 0, 20, frames=2)
        resident = ResidentFrames(source, frames=2, device="cpu")
    np.testing.assert_array_equal(batch.frames, values.astype(np.float32) / np.float32(white))
    assert torch.equal(resident.gather(torch.arange(20)), batch.frames)


def test_what_is_brighter_than_white_is_refused(tmp_path):
    block = frames(4, dtype=np.float32)
    block.features[0, 2] = 256
    write_frames(tmp_path / "x.h5", {"test": Split(4, [block], white=255)}, {})
    with (
        HDF5Frames(tmp_path / "x.h5", "test") as source,
        pytest.raises(DataError, match=r"finite values in \[0, 255\], got values from .* to 256"),
    ):
        source.read(0, 4)
