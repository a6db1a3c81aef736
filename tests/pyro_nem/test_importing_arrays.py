"""Arrays of a user: axes, dtypes, archives, and what is refused."""

import numpy as np
import pytest
from image_files import videos

from pyro_nem.errors import ConfigError, DataError
from pyro_nem.importing import ArrayVideos, open_videos

FRAMES, MASKS = videos()


@pytest.fixture
def source(tmp_path):
    def make(frames=FRAMES, masks=MASKS, **options):
        np.save(tmp_path / "frames.npy", frames)
        if masks is None:
            return ArrayVideos(tmp_path / "frames.npy", None, scratch=tmp_path, **options)
        np.save(tmp_path / "masks.npy", masks)
        paths = (tmp_path / "frames.npy", tmp_path / "masks.npy")
        return ArrayVideos(*paths, scratch=tmp_path, **options)

    return make


def check(source, frames=FRAMES, masks=MASKS):
    assert source.num_videos == len(frames)
    for index in (0, len(frames) - 1):
        video = source.read(index)
        np.testing.assert_array_equal(video.frames, frames[index])
        assert video.frames.dtype == frames.dtype
        np.testing.assert_array_equal(video.masks, masks[index])
        assert video.masks.dtype == np.uint8


def test_videos_are_read_as_they_are(source):
    check(source())
    assert source().white == 255
    assert source(masks=None).read(0).masks is None
    check(source(masks=MASKS[..., None].astype(np.float32)))


@pytest.mark.parametrize(
    ("axes", "order"), [("TNHWC", (1, 0, 2, 3, 4)), ("NTCHW", (0, 1, 4, 2, 3))]
)
def test_axes_come_in_any_order(source, axes, order):
    where = [axes.replace("C", "").index(letter) for letter in "NTHW"]
    masks = MASKS.transpose(np.argsort(where))
    check(source(FRAMES.transpose(order), masks, axes=axes))


def test_missing_axes_have_length_one(source):
    check(
        source(FRAMES[:, 0, ..., 0], MASKS[:, 0], axes="NHW"), FRAMES[:, :1, ..., :1], MASKS[:, :1]
    )
    check(source(FRAMES[0], MASKS[0], axes="THWC"), FRAMES[:1], MASKS[:1])


def test_a_limit_cuts_videos(source):
    check(source(limit=2), FRAMES[:, :2], MASKS[:, :2])
    with pytest.raises(DataError, match=r"frames.npy: expected at least 4 frames, got 3"):
        source(limit=4)


def test_a_limit_below_one_is_refused(source):
    for limit in (0, -1):
        with pytest.raises(ConfigError, match=f"limit: expected at least 1, got {limit}"):
            source(limit=limit)


def test_an_archive_needs_a_place_where_it_is_unpacked(tmp_path):
    np.savez(tmp_path / "both.npz", frames=FRAMES, masks=MASKS)
    with pytest.raises(ConfigError, match=r"scratch: expected a folder where .*both.npz"):
        open_videos(tmp_path / "both.npz")
    np.save(tmp_path / "frames.npy", FRAMES)
    assert open_videos(tmp_path / "frames.npy").num_videos == len(FRAMES)


def test_an_archive_may_hold_both(tmp_path):
    np.savez_compressed(tmp_path / "both.npz", frames=FRAMES, masks=MASKS, other=np.zeros(3))
    check(ArrayVideos(tmp_path / "both.npz", None, scratch=tmp_path))
    np.savez(tmp_path / "a.npz", anything=FRAMES)
    np.savez(tmp_path / "b.npz", whatever=MASKS)
    check(ArrayVideos(tmp_path / "a.npz", tmp_path / "b.npz", scratch=tmp_path))
    np.savez(tmp_path / "c.npz", x=FRAMES, y=MASKS)
    with pytest.raises(DataError, match=r"c.npz: expected an array 'frames', found 'x', 'y'"):
        ArrayVideos(tmp_path / "c.npz", None, scratch=tmp_path)


def test_floats_that_are_bytes_become_bytes(source):
    exact = source(FRAMES / 255.0)
    assert exact.white == 255
    check(exact)
    values = np.where(MASKS[..., None] == 3, 0.3, FRAMES / 255).astype(np.float32)
    inexact = source(values)
    assert inexact.white == 1
    check(inexact, values)
    values = (FRAMES / 255).astype(np.float32)
    values[1] = np.where(MASKS[1, ..., None] == 3, 0.3, values[1])
    check(source(values), values)


@pytest.mark.parametrize(("factor", "found"), [(1, "0.0 to 255.0"), (np.nan, "nan to nan")])
def test_the_range_of_each_video_is_checked(source, factor, found):
    values = FRAMES / 300
    values[2] = factor * FRAMES[2]
    with pytest.raises(DataError, match=f"video 2: expected floats in .* got {found}"):
        source(values)


def test_truth_values_are_zero_and_one(source):
    found = source(FRAMES > 100)
    assert found.white == 1
    check(found, (FRAMES > 100).astype(np.uint8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axes": "NTHW"}, r"expected 4 axes NTHW .*got shape \(10, 3, 8, 12, 3\); .*--axes"),
        ({"frames": FRAMES[:0], "masks": None}, "none of them empty"),
        ({"frames": FRAMES.astype(np.int64)}, "got int64, which does not tell what full intensity"),
        ({"frames": FRAMES / 100}, r"video 0: expected floats in \[0, 1\], got 0.0 to 2.55"),
        ({"frames": FRAMES * np.nan}, "got nan to nan"),
        ({"masks": MASKS[:9]}, r"masks: expected .* = \(10, 3, 8, 12, 1\) to match the frames"),
    ],
)
def test_arrays_that_do_not_fit_are_explained(source, options, message):
    with pytest.raises(DataError, match=message):
        source(**options)


@pytest.mark.parametrize("axes", ["NTHHC", "NTC", "NTHWD", ""])
def test_axes_that_cannot_be_are_refused(source, axes):
    with pytest.raises(ConfigError, match=f"axes: expected letters of NTHWC.*got {axes}"):
        source(axes=axes)


def test_ids_that_are_none_are_refused(source):
    with pytest.raises(DataError, match=r"video 0, key 'groups': .* whole numbers"):
        source(masks=MASKS + 0.5).read(0)


@pytest.mark.parametrize("content", [None, b"", b"rubbish", b"PK\x03\x04rubbish"])
def test_files_that_are_no_arrays_are_refused(tmp_path, content):
    path = tmp_path / "frames.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"frames.npz: (expected a file|no readable array)"):
        ArrayVideos(path, None, scratch=tmp_path)
