"""What HDF5Frames and ArrayFrames accept, and what they say about the rest."""

import h5py
import numpy as np
import pytest
import torch

from pyro_nem.data import ArrayFrames, HDF5Frames, read_batch
from pyro_nem.errors import ConfigError, DataError

FEATURES = np.random.default_rng(0).integers(0, 2, (3, 10, 5, 4, 1)).astype(np.float32)
GROUPS = np.random.default_rng(1).integers(0, 4, (3, 10, 5, 4, 1)).astype(np.float32)
COLLISIONS = np.random.default_rng(2).integers(0, 2, (3, 10, 5, 4, 1)).astype(np.float32)


def write(path, features=FEATURES, groups=GROUPS, collisions=None, **options):
    """A file as someone else may have written it; None leaves a key out."""
    with h5py.File(path, "w") as file:
        group = file.create_group("training")
        arrays = {"features": features, "groups": groups, "collisions": collisions}
        for key, array in arrays.items():
            if array is not None:
                group.create_dataset(key, data=array, **options)
    return path


def changed(array, value, index=(1, 7, 2, 2, 0)):
    copy = array.copy()
    copy[index] = value
    return copy


@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "gzip", "chunks": (1, 4, 5, 4, 1)}, {"compression": "lzf"}],
)
def test_files_of_others_are_read(tmp_path, options):
    with HDF5Frames(write(tmp_path / "published.h5", **options), "training") as source:
        assert (source.num_sequences, source.num_frames) == (10, 3)
        assert source.image_shape == (5, 4, 1)
        assert "published.h5" in source.name
        features, groups = source.read(2, 9)
    np.testing.assert_array_equal(features, FEATURES[:, 2:9])
    np.testing.assert_array_equal(groups, GROUPS[:, 2:9])
    assert groups.dtype == np.uint8


def test_a_file_without_groups_has_no_labels(tmp_path):
    with HDF5Frames(write(tmp_path / "a.h5", groups=None), "training") as source:
        features, groups = source.read(2, 9)
        assert read_batch(source, 0, 4, 3).groups is None
    np.testing.assert_array_equal(features, FEATURES[:, 2:9])
    assert groups is None


def test_limit_keeps_the_first_sequences(tmp_path):
    path = write(tmp_path / "a.h5")
    with HDF5Frames(path, "training", limit=4) as source:
        assert source.num_sequences == 4
        with pytest.raises(ConfigError, match=r"a\.h5.*stop=5.*<= 4"):
            source.read(0, 5)
    with HDF5Frames(path, "training", limit=99) as source:
        assert source.num_sequences == 10
    with pytest.raises(ConfigError, match=r"limit.*got 0"):
        HDF5Frames(path, "training", limit=0)


def test_the_file_is_closed_and_never_held_after_a_refusal(tmp_path):
    path = write(tmp_path / "a.h5", features=None)
    with pytest.raises(DataError):
        HDF5Frames(path, "training")
    with h5py.File(path, "a"):  # fails while anyone holds the file
        pass


@pytest.mark.parametrize(
    ("features", "groups", "message"),
    [
        (None, GROUPS, "'training': expected a dataset 'features', found 'groups'"),
        (FEATURES[0], GROUPS, r"key 'features': expected 5 axes.*\(10, 5, 4, 1\)"),
        (FEATURES, GROUPS[:, :9], r"key 'groups': expected shape \(3, 10, 5, 4, 1\).*\(3, 9"),
        (FEATURES, GROUPS[..., 0], "key 'groups': expected shape"),
        (FEATURES[:, :0], GROUPS[:, :0], r"key 'features': expected at least one.*\(3, 0"),
        (FEATURES.astype("S1"), GROUPS, "key 'features': expected numbers"),
    ],
)
def test_wrong_layout_is_refused_at_opening(tmp_path, features, groups, message):
    path = write(tmp_path / "a.h5", features, groups)
    with pytest.raises(DataError, match=message) as caught:
        HDF5Frames(path, "training")
    assert str(path) in str(caught.value)


BAD_VALUES = [
    (changed(FEATURES, np.nan), GROUPS, "'features'.*got NaN in 1 of [0-9,]+ values; repair"),
    (changed(FEATURES, np.inf), GROUPS, "'features'.*inf"),
    (changed(FEATURES, -0.25), GROUPS, r"'features'.*-0\.25"),
    (changed(FEATURES, 1.5), GROUPS, r"'features'.*1\.5"),
    (changed(FEATURES, 200).astype(np.uint8), GROUPS, "'features'.*200.*divide bytes"),
    (FEATURES, changed(GROUPS, 0.5), "'groups'.*whole numbers"),
    (FEATURES, changed(GROUPS, -1), "'groups'.*-1"),
    (FEATURES, changed(GROUPS, 256), "'groups'.*256"),
    (FEATURES, changed(GROUPS, np.nan), "'groups'.*nan"),
]


@pytest.mark.parametrize(("features", "groups", "message"), BAD_VALUES)
def test_wrong_values_are_refused_at_reading(tmp_path, features, groups, message):
    path = write(tmp_path / "a.h5", features, groups)
    with HDF5Frames(path, "training") as source:
        source.read(0, 7)
        with pytest.raises(
            DataError, match="'training', sequences 6 to 9, key " + message
        ) as caught:
            source.read(6, 9)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("features", "groups", "message"), BAD_VALUES)
def test_wrong_values_are_refused_in_arrays(features, groups, message):
    with pytest.raises(DataError, match="mine, key " + message):
        ArrayFrames(features, groups, name="mine")


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, bool])
def test_collisions_are_a_mask_of_any_dtype(tmp_path, dtype):
    mask = COLLISIONS.astype(dtype)
    with HDF5Frames(write(tmp_path / "a.h5", collisions=mask), "training") as file:
        for source in (file, ArrayFrames(FEATURES, collisions=torch.from_numpy(mask[..., 0]))):
            found = source.read_collisions(2, 9)
            np.testing.assert_array_equal(found, COLLISIONS[:, 2:9])
            assert found.dtype == np.uint8
            with pytest.raises(ConfigError, match="start=9 to stop=11"):
                source.read_collisions(9, 11)


def test_a_source_may_have_no_collisions(tmp_path):
    with HDF5Frames(write(tmp_path / "a.h5"), "training") as source:
        assert source.read_collisions(0, 3) is None
    assert ArrayFrames(FEATURES, GROUPS).read_collisions(0, 3) is None


@pytest.mark.parametrize(
    ("collisions", "message"),
    [
        (
            changed(COLLISIONS, 2),
            r"expected a mask of 0 and 1, got float32 values from 0\.0 to 2\.0",
        ),
        (changed(COLLISIONS, 0.5), "expected a mask of 0 and 1"),
        (changed(COLLISIONS, np.nan), "expected a mask of 0 and 1"),
        (
            changed(COLLISIONS, -1).astype(np.int8),
            "expected a mask of 0 and 1, got int8 values from -1",
        ),
        (COLLISIONS[:, :, :1, :1], r"expected shape \(3, 10, 5, 4, 1\).*got \(3, 10, 1, 1, 1\)"),
        (COLLISIONS.astype("S1"), "expected numbers"),
    ],
)
def test_wrong_collisions_are_refused_but_only_where_they_are_asked_for(
    tmp_path, collisions, message
):
    path = write(tmp_path / "a.h5", collisions=collisions)
    with HDF5Frames(path, "training") as source:
        source.read(0, 10)
        with pytest.raises(DataError, match="'training'.*key 'collisions': " + message) as caught:
            source.read_collisions(0, 10)
    assert str(path) in str(caught.value)
    with pytest.raises(DataError, match="mine, key 'collisions': " + message):
        ArrayFrames(FEATURES, collisions=collisions, name="mine")


def test_missing_file_and_group_and_split(tmp_path):
    with pytest.raises(DataError, match=r"none\.h5.*found none"):
        HDF5Frames(tmp_path / "none.h5", "training")
    path = write(tmp_path / "a.h5")
    with pytest.raises(DataError, match=r"a\.h5.*group 'test', found 'training'"):
        HDF5Frames(path, "test")
    with pytest.raises(ConfigError, match=r"split.*'train'"):
        HDF5Frames(path, "train")


def test_truncated_and_foreign_files(tmp_path):
    path = write(tmp_path / "a.h5")
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match=r"a\.h5: not a readable HDF5 file"):
        HDF5Frames(path, "training")
    (tmp_path / "b.h5").write_text("no frames here")
    with pytest.raises(DataError, match=r"b\.h5: not a readable HDF5 file"):
        HDF5Frames(tmp_path / "b.h5", "training")


@pytest.mark.parametrize("key", ["features", "groups", "collisions"])
def test_a_damaged_chunk_is_a_data_error(tmp_path, key):
    path = write(
        tmp_path / "a.h5", collisions=COLLISIONS, compression="gzip", chunks=(3, 5, 5, 4, 1)
    )
    with h5py.File(path) as file:
        chunk = file[f"training/{key}"].id.get_chunk_info(1)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    path.write_bytes(content)
    with HDF5Frames(path, "training") as source:
        read = source.read_collisions if key == "collisions" else source.read
        read(0, 5)
        with pytest.raises(DataError, match=rf"a\.h5.*sequences 5 to 10: cannot read '{key}'"):
            read(5, 10)


@pytest.mark.parametrize("read", [HDF5Frames.read, HDF5Frames.read_collisions])
def test_a_closed_file_is_a_data_error(tmp_path, read):
    with HDF5Frames(write(tmp_path / "a.h5", collisions=COLLISIONS), "training") as source:
        read(source, 2, 5)
    with pytest.raises(DataError, match=r"a\.h5.*sequences 2 to 5: the file is closed"):
        read(source, 2, 5)


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize("squeeze", [False, True])
def test_arrays_and_tensors_are_sources(kind, squeeze):
    source = ArrayFrames(kind(FEATURES), kind(GROUPS[..., 0] if squeeze else GROUPS), name="mine")
    assert (source.name, source.num_sequences, source.num_frames) == ("mine", 10, 3)
    assert source.image_shape == (5, 4, 1)
    features, groups = source.read(2, 5)
    np.testing.assert_array_equal(features, FEATURES[:, 2:5])
    np.testing.assert_array_equal(groups, GROUPS[:, 2:5])


def test_arrays_need_no_groups_and_may_be_bool():
    features, groups = ArrayFrames(FEATURES.astype(bool)).read(0, 10)
    assert groups is None
    np.testing.assert_array_equal(features, FEATURES)


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (3, 3), (0, 11)])
def test_ranges_outside_the_data_are_refused(start, stop):
    with pytest.raises(ConfigError, match=f"mine.*start={start} to stop={stop}"):
        ArrayFrames(FEATURES, name="mine").read(start, stop)
