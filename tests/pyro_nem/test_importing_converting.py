"""From videos to a file: sizes, grey, splits, and how much is in memory at once."""

from typing import NamedTuple

import h5py
import numpy as np
import pytest
from image_files import videos
from PIL import Image

from pyro_nem.data import SPLITS, HDF5Frames
from pyro_nem.errors import ConfigError, DataError
from pyro_nem.importing import ImageSize, Video, convert, deal
from pyro_nem.importing import converting as converting_module

FRAMES, MASKS = videos(count=9)
SPLIT = {"training": [4, 0, 8, 1, 2], "validation": [3], "test": [7, 6, 5]}


class Given(NamedTuple):
    """Videos that are in memory."""

    frames: np.ndarray
    masks: np.ndarray | None
    white: int = 255
    name: str = "given"

    @property
    def num_videos(self):
        return len(self.frames)

    def read(self, index):
        masks = None if self.masks is None else self.masks[index]
        return Video(f"video {index}", self.frames[index], masks)


def written(path, split, features=True):
    with HDF5Frames(path, split) as source:
        parts = source.read(0, source.num_sequences)
    return parts[not features].swapaxes(0, 1)  # [N, T, rows, columns, C]


def test_the_file_holds_the_videos_of_each_split(tmp_path):
    path, lines = tmp_path / "x.h5", []
    convert(
        Given(FRAMES, MASKS), path, SPLIT, attributes={"seed": 3}, report=lambda *a: lines.append(a)
    )
    for split, indices in SPLIT.items():
        np.testing.assert_array_equal(written(path, split), FRAMES[indices])
        np.testing.assert_array_equal(written(path, split, False)[..., 0], MASKS[indices])
    with h5py.File(path) as file:
        assert file["training/features"].dtype == np.uint8
        assert file["training/features"].attrs["white"] == 255
        assert file.attrs["seed"] == 3
    assert lines == [(5, 9), (6, 9), (9, 9)]


def test_without_masks_nothing_is_scored(tmp_path):
    convert(Given(FRAMES, None), tmp_path / "x.h5", SPLIT)
    with HDF5Frames(tmp_path / "x.h5", "training") as source:
        assert source.read(0, 5)[1] is None


def test_masks_of_some_videos_are_not_those_of_all(tmp_path):
    class Some(Given):
        def read(self, index):
            video = super().read(index)
            return video._replace(masks=None) if index in unknown else video

    for unknown in ([0, 1], [7]):
        with pytest.raises(DataError, match=f"video {unknown[0]}: expected masks as other videos"):
            convert(Some(FRAMES, MASKS), tmp_path / "x.h5", SPLIT)
    unknown = SPLIT["test"]
    convert(Some(FRAMES, MASKS), tmp_path / "x.h5", SPLIT)
    with HDF5Frames(tmp_path / "x.h5", "test") as source:
        assert source.read(0, 3)[1] is None


def test_other_floats_stay_floats(tmp_path):
    frames = (FRAMES / 300).astype(np.float32)
    convert(Given(frames, MASKS, white=1), tmp_path / "x.h5", SPLIT)
    np.testing.assert_array_equal(written(tmp_path / "x.h5", "test"), frames[SPLIT["test"]])


def test_colours_become_the_grey_of_pillow(tmp_path):
    convert(Given(FRAMES, MASKS), tmp_path / "x.h5", SPLIT, grey=True)
    found = written(tmp_path / "x.h5", "validation")[0, 1, ..., 0].astype(int)
    expected = np.asarray(Image.fromarray(FRAMES[3, 1]).convert("L")).astype(int)
    assert np.abs(found - expected).max() <= 1
    with pytest.raises(DataError, match="expected frames of 1 or 3 channels to make grey, got 2"):
        convert(Given(FRAMES[..., :2], None), tmp_path / "y.h5", SPLIT, grey=True)
    assert not (tmp_path / "y.h5").exists()


def test_colours_of_black_and_white_become_grey_levels(tmp_path):
    frames = (FRAMES > 127).astype(np.uint8)
    convert(Given(frames, MASKS, white=1), tmp_path / "x.h5", SPLIT, grey=True)
    found = written(tmp_path / "x.h5", "validation")[0, ..., 0]
    expected = frames[3] @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert 0 < found.max() <= 1


@pytest.mark.parametrize("smooth", [True, False])
def test_truth_values_are_interpolated_unless_the_nearest_is_asked_for(tmp_path, smooth):
    bits = (FRAMES[..., :1] > 127).astype(np.uint8)
    size = ImageSize(4, 6, smooth=smooth)
    convert(Given(bits, MASKS, white=1), tmp_path / "x.h5", SPLIT, size)
    found = written(tmp_path / "x.h5", "validation")[0]
    np.testing.assert_allclose(found, size.frames(255 * bits[3]) / 255, atol=1 / 255)
    assert (found.dtype == np.uint8) == (set(np.unique(found)) == {0, 1}) == (not smooth)


def test_a_large_input_is_written_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(converting_module, "_BLOCK_BYTES", 2 * FRAMES[0].nbytes)
    lines = []
    convert(Given(FRAMES, MASKS), tmp_path / "x.h5", SPLIT, report=lambda *a: lines.append(a))
    assert lines == [(2, 9), (4, 9), (5, 9), (6, 9), (8, 9), (9, 9)]
    np.testing.assert_array_equal(written(tmp_path / "x.h5", "training"), FRAMES[SPLIT["training"]])


def test_videos_of_several_sizes_need_one(tmp_path):
    class Odd(Given):
        def read(self, index):
            video = super().read(index)
            return video._replace(frames=video.frames[:, :6]) if index == 3 else video

    with pytest.raises(DataError, match=r"video 3: expected .*\(3, 8, 12, 3\).* --size"):
        convert(Odd(FRAMES, None), tmp_path / "x.h5", SPLIT)
    convert(Odd(FRAMES, None), tmp_path / "x.h5", SPLIT, ImageSize(4, 4))
    assert written(tmp_path / "x.h5", "validation").shape == (1, 3, 4, 4, 3)


def test_frames_that_are_all_but_black_are_refused(tmp_path):
    with pytest.raises(DataError, match="the brightest value is 1 of 255"):
        convert(Given(FRAMES // 200, MASKS), tmp_path / "x.h5", SPLIT)
    with pytest.raises(DataError, match="the brightest value is 0 of 1"):
        convert(Given(np.zeros_like(FRAMES), MASKS, white=1), tmp_path / "x.h5", SPLIT)
    assert not (tmp_path / "x.h5").exists()


def quadrants(rows, columns, dtype=np.uint8):
    """A picture whose four quarters differ, in two channels, and the same as ids."""
    ids = 1 + 2 * (np.arange(rows) >= rows / 2)[:, None] + (np.arange(columns) >= columns / 2)
    frames = np.stack([ids * 40, 255 - ids * 40], axis=-1)[None]
    if dtype == np.float32:
        frames = frames / np.float32(255)
    return frames.astype(dtype), ids[None].astype(np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("sides", [(32, 32), (8, 8), (17, 17)])
def test_frames_and_masks_are_resized_alike(sides, dtype):
    size = ImageSize(16, 16, smooth=False)
    frames, masks = quadrants(*sides, dtype)
    resized, ids = size.frames(frames), size.masks(masks)
    assert resized.shape == (1, 16, 16, 2)
    assert (resized.dtype, ids.dtype) == (dtype, np.uint8)
    scale = 1 if dtype == np.uint8 else np.float32(255)
    np.testing.assert_allclose(resized[..., 0] * scale, ids * 40.0, rtol=1e-6)
    np.testing.assert_allclose(resized[..., 1] * scale, 255 - ids * 40.0, rtol=1e-6)
    assert set(ids.ravel()) == {1, 2, 3, 4}


@pytest.mark.parametrize(
    ("method", "columns"),
    [("crop", [1] * 8 + [2] * 8), ("stretch", [1] * 8 + [2] * 8)],
)
def test_methods_for_another_aspect_ratio(method, columns):
    frames, masks = quadrants(16, 48)
    # A stripe at the left edge, which cropping cuts off.
    masks[..., :12] = 9
    found = ImageSize(16, 16, method, smooth=False).masks(masks)[0, 0].tolist()
    assert found == (columns if method == "crop" else [9] * 4 + [1] * 4 + [2] * 8)
    assert ImageSize(16, 16, method).frames(frames).shape == (1, 16, 16, 2)


def test_padding_is_black_and_not_scored():
    frames, masks = quadrants(16, 32)
    size = ImageSize(16, 16, "pad")
    for padded in (size.frames(frames)[0, ..., 0], size.masks(masks)[0]):
        assert not padded[:4].any()
        assert not padded[12:].any()
        assert padded[4:12].all()


def test_smooth_frames_are_interpolated_and_masks_are_not():
    frames, masks = quadrants(64, 64)
    size = ImageSize(9, 9)
    assert len(np.unique(size.frames(frames)[..., 0])) > 4
    assert set(size.masks(masks).ravel()) == {1, 2, 3, 4}


def test_a_size_without_pixels_is_refused():
    with pytest.raises(ConfigError, match="rows: expected at least 1, got 0"):
        ImageSize(0, 8)


def test_an_unknown_method_is_refused():
    with pytest.raises(ConfigError, match="method: expected one of crop, pad, stretch, got 'fit'"):
        ImageSize(4, 4, "fit")


def test_videos_are_dealt_out_once_each():
    dealt = deal(20, validation=0.1, test=0.25, seed=0)
    assert [len(dealt[name]) for name in SPLITS] == [13, 2, 5]
    assert sorted(np.concatenate(list(dealt.values()))) == list(range(20))
    again, other = (
        deal(20, validation=0.1, test=0.25, seed=0),
        deal(20, validation=0.1, test=0.25, seed=1),
    )
    np.testing.assert_array_equal(dealt["training"], again["training"])
    assert not np.array_equal(dealt["training"], other["training"])
    kept = deal(20, validation=0.1, test=0.25, seed=None)
    np.testing.assert_array_equal(np.concatenate(list(kept.values())), np.arange(20))


@pytest.mark.parametrize(
    ("count", "validation", "message"),
    [
        (4, 0.1, "of 4 videos each split needs one or more, got training 3, validation 0, test 1"),
        (10, 0.8, "training 0"),
        (10, 0.0, "validation: expected a fraction between 0 and 1, got 0.0"),
        (10, 1.5, "got 1.5"),
    ],
)
def test_splits_that_cannot_be_are_refused(count, validation, message):
    with pytest.raises(ConfigError, match=message):
        deal(count, validation=validation, test=0.2, seed=0)
