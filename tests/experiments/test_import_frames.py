"""The converter as a command, and a training on what it wrote."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from image_files import save_videos, videos

from experiments import import_frames, run
from experiments.report import write_report
from inference import RunDirectory, read_posterior
from pyro_nem.data import HDF5Frames, read_batch
from pyro_nem.files import write_json
from pyro_nem.importing import ImageSize

COUNTS = ("training.sequences", "validation.sequences")
FRAMES, MASKS = videos(count=12, frames=5, rows=24, columns=24)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folders_are_imported(folder, capsys):
    save_videos(folder / "mine", FRAMES)
    save_videos(folder / "masks", MASKS)
    options = ["--masks", "masks", "--in-order", "--size", "16", "8", "--length", "4"]
    assert import_frames.main(["mine", *options, "--validation", "0.25"]) == 0
    printed = capsys.readouterr().out
    assert "mine.h5, split 'training': 8 videos of 4 frames, 16x8, 3 channels" in printed
    with HDF5Frames("mine.h5", "validation") as source:
        assert (source.num_sequences, source.num_frames) == (3, 4)
        found = read_batch(source, 0, 3, 4).groups.swapaxes(0, 1)
    expected = [ImageSize(16, 8).masks(video[:4]) for video in MASKS[8:11]]
    np.testing.assert_array_equal(found, expected)
    with h5py.File("mine.h5") as file:
        assert file.attrs["generator"] == "import_frames"
        assert file.attrs["size"].tolist() == [16, 8]
        assert file.attrs["masks"] == "masks"
        assert (file.attrs["method"], file.attrs["nearest"]) == ("crop", False)
        assert "seed" not in file.attrs
    assert sorted(os.listdir(folder)) == ["masks", "mine", "mine.h5"]


def test_arrays_are_imported_and_trained_on(folder, capsys):
    np.savez_compressed("both.npz", frames=FRAMES.swapaxes(0, 1), masks=MASKS.swapaxes(0, 1))
    options = ["--axes", "TNHWC", "--output", "new/mine.h5", "--validation", "0.2"]
    assert import_frames.main(["both.npz", *options]) == 0
    assert os.listdir("new") == ["mine.h5"]
    small = ["--scale", "smoke", "--steps", "4", "--components", "2", "--run-dir", "run"]
    assert run.main(["sprites", "--data", "new/mine.h5", *small]) == 0
    assert "scoring 1 test sequences" in capsys.readouterr().out
    # Pictures of colours, too.
    assert {"overview_train_0.png", "segmentation_test.gif"} <= set(os.listdir("run/figures"))


@pytest.mark.parametrize(
    ("axes", "kind", "warned"),
    [
        ("NTHWC", "10 videos of 5 frames, 24x24, 3 channels", False),
        ("NTCHW", "10 videos of 5 frames, 24x3, 24 channels", True),
    ],
)
def test_an_odd_number_of_channels_is_told(capsys, axes, kind, warned):
    np.save("frames.npy", FRAMES)
    assert import_frames.main(["frames.npy", "--axes", axes]) == 0
    printed = capsys.readouterr()
    assert f"split 'training': {kind}\n" in printed.out
    assert ("warning: 24 channels" in printed.err and "check that --axes" in printed.err) == warned


def test_images_are_not_called_videos(capsys):
    np.save("frames.npy", FRAMES[:, 0])
    assert import_frames.main(["frames.npy", "--axes", "NHWC"]) == 0
    printed = capsys.readouterr()
    assert "split 'training': 10 images, 24x24, 3 channels\n" in printed.out
    assert "split 'test': 1 image, 24x24, 3 channels\n" in printed.out
    assert not printed.err


def test_without_masks_everything_else_is_there(capsys):
    np.save("frames.npy", FRAMES)
    assert import_frames.main(["frames.npy", "--validation", "0.2", "--output", "mine.h5"]) == 0
    small = ["--scale", "smoke", "--steps", "4", "--components", "2", "--run-dir", "run"]
    assert run.main(["sprites", "--data", "mine.h5", *small]) == 0
    printed = capsys.readouterr().out
    assert "  no masks of objects, so no AMI and ARI\n" in printed
    assert not {"ARI", "effective", "nan"} & set(printed.replace("no AMI and ARI", "").split())
    directory = RunDirectory(Path("run"))
    summary = directory.read_summary()
    assert not {"test.ami", "test.ari", "test.effective_components"} & set(summary)
    posterior = read_posterior(directory.posterior)
    assert posterior.attrs["labels"] == 0
    assert posterior["sample_stats/component_share"].notnull().all()
    assert posterior["sample_stats/entropy"].notnull().all()
    counts = [summary[f"{split}.sequences"] for split in ("training", "validation", "test")]
    assert counts == [9, 2, 1]
    report = directory.report.read_text()
    assert "9 to train on, 2 to validate, 1 to test" in report
    earlier = {key: summary[key] for key in summary if key not in COUNTS}
    write_json(directory.summary, earlier)
    write_report(directory, directory.report)
    assert "at most 64 to train on, at most 8 to validate, 1" in directory.report.read_text()
    assert "The object of no pixel is known" in report
    assert "Curves of the loss over updates." in report
    assert "Looked for in the posterior of 1 test sequence: " in report


def test_progress_of_a_long_import_is_told(monkeypatch, capsys):
    np.save("frames.npy", FRAMES)
    monkeypatch.setattr(import_frames, "_EVERY", 0.0)
    assert import_frames.main(["frames.npy"]) == 0
    assert "10 of 12 videos | 0:00 left" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--output", "old.h5"], "--output old.h5: exists already; choose another name"),
        (["--masks", "nowhere.npy"], "nowhere.npy: expected a file, found none"),
        (["--length", "0"], "--length: expected at least 1, got 0"),
        (["--size", "0", "4"], "--size: expected at least 1, got 0"),
        (["--axes", "NHW"], "expected 3 axes NHW"),
        (["--test", "0.95"], "each split needs one or more"),
        (["--seed", "-1"], "--seed: expected at least 0, got -1"),
        (["--seed", "0", "--in-order"], "--seed: nothing is drawn with --in-order"),
        (["--method", "crop"], "--method: says how images are resized"),
        (["--nearest"], "--nearest: says how images are resized"),
    ],
)
def test_bad_input_is_explained_and_changes_nothing(folder, capsys, options, message):
    np.save("frames.npy", FRAMES)
    (folder / "old.h5").write_text("old")
    assert import_frames.main(["frames.npy", *options]) == 2
    assert message in capsys.readouterr().err
    assert sorted(os.listdir(folder)) == ["frames.npy", "old.h5"]
    assert (folder / "old.h5").read_text() == "old"


def test_a_file_is_replaced_when_asked(folder):
    np.save("frames.npy", FRAMES)
    (folder / "frames.h5").write_text("old")
    assert import_frames.main(["frames.npy", "--overwrite"]) == 0
    with HDF5Frames("frames.h5", "training") as source:
        assert source.num_sequences == 10
    with h5py.File("frames.h5") as file:
        assert file.attrs["seed"] == 0
        assert not {"size", "method", "nearest", "overwrite"} & set(file.attrs)


def test_axes_of_images_are_refused(folder, capsys):
    save_videos(folder / "mine", FRAMES[:, :1])
    assert import_frames.main(["mine", "--axes", "NHWC"]) == 2
    assert "axes: describes arrays" in capsys.readouterr().err
