"""Folders of images: order, colours, masks, and what is refused."""

import numpy as np
import pytest
from image_files import save, save_videos, videos
from PIL import Image

from pyro_nem.errors import ConfigError, DataError
from pyro_nem.importing import FolderVideos

# More than ten of each, so that names are sorted by their numbers.
FRAMES, MASKS = videos(count=11, frames=11)


@pytest.fixture
def folders(tmp_path):
    save_videos(tmp_path / "frames", FRAMES)
    save_videos(tmp_path / "masks", MASKS)
    return tmp_path / "frames", tmp_path / "masks"


def check(source, frames=FRAMES, masks=MASKS):
    assert (source.num_videos, source.white) == (len(frames), 255)
    for index in range(len(frames)):
        video = source.read(index)
        np.testing.assert_array_equal(video.frames, frames[index])
        np.testing.assert_array_equal(video.masks, masks[index])


def test_a_folder_is_a_video(folders):
    check(FolderVideos(*folders))
    assert FolderVideos(folders[0]).read(0).masks is None
    check(FolderVideos(*folders, limit=4), FRAMES[:, :4], MASKS[:, :4])


def test_hidden_files_and_folders_are_left_out(folders):
    for root in folders:
        (root / ".trash").mkdir()
        for folder in root.iterdir():
            (folder / "._0.png").write_bytes(b"notes of macOS")
    check(FolderVideos(*folders))


def test_a_folder_of_images_is_static(tmp_path):
    for number in range(11):
        save(tmp_path / "frames" / f"image_{number}.png", FRAMES[number, 0])
        save(tmp_path / "masks" / f"image_{number}.png", MASKS[number, 0], "P")
    (tmp_path / "frames" / "notes.txt").write_text("not an image")
    check(FolderVideos(tmp_path / "frames", tmp_path / "masks"), FRAMES[:, :1], MASKS[:, :1])


@pytest.mark.parametrize("suffix", ["PNG", "Png"])
def test_masks_are_matched_without_their_suffix(folders, tmp_path, suffix):
    save_videos(tmp_path / "others", MASKS, suffix)
    check(FolderVideos(folders[0], tmp_path / "others"))
    # Not by its place: now there are masks of no frame.
    for folder in folders[0].iterdir():
        (folder / "0.png").unlink()
    check(FolderVideos(folders[0], tmp_path / "others"), FRAMES[:, 1:], MASKS[:, 1:])


def test_grey_images_have_one_channel_and_jpegs_are_read(tmp_path):
    save_videos(tmp_path / "grey", FRAMES[:2, ..., :1])
    found = FolderVideos(tmp_path / "grey").read(1).frames
    np.testing.assert_array_equal(found, FRAMES[1, ..., :1])
    flat = np.full((2, 1, 16, 16, 3), 90, np.uint8)
    save_videos(tmp_path / "jpeg", flat, "JPG")
    assert np.ptp(FolderVideos(tmp_path / "jpeg").read(0).frames.astype(int) - 90) <= 2


def test_indexed_frames_have_their_colours_and_transparent_ones_are_black(tmp_path):
    picture = np.zeros((8, 8, 4), np.uint8)
    picture[:, :4] = (250, 0, 10, 255)
    picture[:, 4:] = (250, 250, 250, 0)
    save(tmp_path / "a" / "clear.png", picture)
    expected = picture[..., :3] * (picture[..., 3:] > 0)
    np.testing.assert_array_equal(FolderVideos(tmp_path / "a").read(0).frames[0], expected)
    (tmp_path / "b").mkdir()
    Image.fromarray(expected).quantize(4).save(tmp_path / "b" / "indexed.png")
    np.testing.assert_array_equal(FolderVideos(tmp_path / "b").read(0).frames[0], expected)


def test_images_of_both_kinds_are_refused_unless_made_grey(tmp_path):
    save(tmp_path / "0.png", FRAMES[0, 0])
    save(tmp_path / "1.png", FRAMES[1, 0], "L")
    with pytest.raises(DataError, match=r"1.png: expected a coloured image .* mode L; .*--grey"):
        FolderVideos(tmp_path).read(1)
    grey = FolderVideos(tmp_path, grey=True)
    assert grey.read(0).frames.shape == grey.read(1).frames.shape == (1, 8, 12, 1)


def test_a_missing_mask_is_named(folders):
    (folders[1] / "video3" / "7.png").unlink()
    with pytest.raises(DataError, match=r"3/7.png: expected the mask of .*frames/video3/7.png"):
        FolderVideos(*folders)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((8, 12, 3), np.uint8), "mode RGB; save it as an indexed or grey PNG"),
        (np.zeros((8, 12), np.uint16), "8 bits a channel, got mode I;16"),
        (np.zeros((8, 8), np.uint8), r"1.png: expected \(rows, columns\) = \(8, 8\) as 0.png"),
    ],
)
def test_masks_that_do_not_fit_are_explained(folders, array, message):
    save(folders[1] / "video0" / "0.png", array)
    with pytest.raises(DataError, match=message):
        FolderVideos(*folders).read(0)


def test_masks_of_another_size_than_the_frames_are_explained(folders):
    save_videos(folders[1], MASKS[:, :, :4])
    with pytest.raises(DataError, match=r"expected \(T, .* = \(11, 8, 12\) .*11, 4, 12"):
        FolderVideos(*folders).read(0)


def test_videos_of_several_lengths_have_to_be_cut(folders):
    (folders[0] / "video3" / "10.png").unlink()
    with pytest.raises(DataError, match=r"video3 has 10 frames and video0 11; .* --length 10"):
        FolderVideos(folders[0])
    assert len(FolderVideos(folders[0], limit=10).read(3).frames) == 10
    with pytest.raises(DataError, match=r"video3: expected at least 11 frames, got 10"):
        FolderVideos(folders[0], limit=11)
    for limit in (0, -1):
        with pytest.raises(ConfigError, match=f"limit: expected at least 1, got {limit}"):
            FolderVideos(folders[0], limit=limit)


def test_folders_that_cannot_be_are_explained(tmp_path, folders):
    with pytest.raises(DataError, match="nowhere: expected a folder, found none"):
        FolderVideos(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: expected images \(.png, .jpg, .jpeg\), found"):
        FolderVideos(tmp_path / "empty")
    (folders[0] / "zzz").mkdir()
    with pytest.raises(DataError, match=r"zzz: expected images"):
        FolderVideos(folders[0])
    save(folders[0] / "stray.png", FRAMES[0, 0])
    with pytest.raises(DataError, match=r"found both, stray.png and video0"):
        FolderVideos(folders[0])


def test_a_damaged_image_is_named(folders):
    path = folders[0] / "video2" / "1.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match=r"video2/1.png: no readable image"):
        FolderVideos(folders[0]).read(2)
