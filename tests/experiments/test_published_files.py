"""The papers' own files: their names, their layout, and every experiment on them."""

import json

import h5py
import numpy as np
import pytest

from experiments import evaluate, rollout, run
from experiments.frames import finish
from experiments.frames.config import BALLS
from experiments.frames.published_files import published_file
from pyro_nem.errors import ConfigError, DataError

EXPERIMENTS = {
    "static_shapes": "shapes",
    "flying_shapes": "flying_shapes",
    "flying_mnist": "flying_mnist_hard_2digits",
    "bouncing_balls": "balls4mass64",
    "sprites": "coloured",
}


@pytest.fixture
def no_pictures(monkeypatch):
    """Drawing takes most of a small run's time, and is the same for every file."""
    monkeypatch.setattr(finish, "draw_pictures", lambda *arguments: None)
    monkeypatch.setattr(evaluate, "draw_segmentations", lambda *arguments: None)
    monkeypatch.setattr(finish, "write_report", lambda *arguments, **options: None)


def write(path, frames=7, channels=1, keys=()):
    """Write a small file as the papers' are: float32, ids too, with keys that nothing reads."""
    generator = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for split, count in (("training", 12), ("validation", 6), ("test", 6)):
            shape = (frames, count, 16, 16)
            groups = generator.integers(0, 3, (*shape, 1)).astype(np.float32)
            colours = generator.random((*shape, channels)).astype(np.float32)
            features = (groups > 0) * (colours if channels > 1 else np.float32(1))
            group = file.create_group(split)
            group["features"], group["groups"] = features, groups
            for key in keys:
                group[key] = np.zeros((*shape, 1), np.float32)
    return path


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_runs_on_a_published_file(tmp_path, experiment):
    static = experiment == "static_shapes"
    coloured = experiment == "sprites"
    keys = ("collisions", "events") if experiment in BALLS else ("overlaps",)
    file = tmp_path / f"{EXPERIMENTS[experiment]}.h5"
    write(file, 1 if static else 7, 3 if coloured else 1, keys)
    folder = tmp_path / "run"
    source = ["--data", str(file)] if coloured else ["--data-dir", str(tmp_path)]
    small = ["--scale", "smoke", "--steps", "4", "--components", "2", "--run-dir", str(folder)]
    assert run.main([experiment, *source, *small]) == 0
    config = json.loads((folder / "config.json").read_text())
    assert config["settings"]["data"] == str(file)
    assert config["image_shape"] == [16, 16, 3 if coloured else 1]
    assert evaluate.main([str(folder), "--sequences", "4", "--name", "x"]) == 0
    found = json.loads((folder / "evaluations" / "x.json").read_text())
    assert found["data"] == f"{file}, split 'test'"
    assert found["test.ami"] is not None
    assert rollout.main([str(folder), "--seen", "2", "--steps", "2", "--sequences", "4"]) == 0


@pytest.mark.usefixtures("no_pictures")
def test_a_run_is_resumed_and_tested_with_the_folder(tmp_path, capsys):
    write(tmp_path / "flying_shapes.h5")
    write(tmp_path / "flying_shapes_5.h5")
    folder, data_dir = str(tmp_path / "run"), ["--data-dir", str(tmp_path)]
    small = ["--scale", "smoke", "--steps", "4", "--run-dir", folder]
    assert run.main(["flying_shapes", *data_dir, *small]) == 0
    assert run.main(["flying_shapes", *data_dir, "--resume", "--run-dir", folder]) == 0
    other = ["--objects", "5", "--components", "5", "--sequences", "4"]
    assert evaluate.main([folder, *data_dir, *other]) == 0
    assert (tmp_path / "run/evaluations/test-flying_shapes_5-k5-t4-4sequences-best.json").exists()
    assert rollout.main([folder, *data_dir, *other, "--seen", "2", "--steps", "2"]) == 0
    assert (tmp_path / "run/rollouts/flying_shapes_5-k5-seen2-steps2-4sequences.json").exists()
    capsys.readouterr()
    for program, name in ((evaluate, "objects"), (evaluate, "frames"), (rollout, "objects")):
        assert program.main([folder, f"--{name}", "5"]) == 2
        said = capsys.readouterr().err
        assert f"--{name}: the run was trained on {tmp_path}/flying_shapes.h5, in place of" in said
    (tmp_path / "else").mkdir()
    write(tmp_path / "else" / "flying_shapes.h5")
    options = ["--data-dir", str(tmp_path / "else"), "--resume", "--run-dir", folder]
    assert run.main(["flying_shapes", *options]) == 2
    assert "holds a run with data" in capsys.readouterr().err


@pytest.mark.usefixtures("no_pictures")
def test_results_of_files_of_one_name_are_kept_apart(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "toys.h5")
    folder, small = tmp_path / "run", ["--scale", "smoke", "--posterior-sequences", "0"]
    first = ["--data", str(tmp_path / "a" / "toys.h5")]
    assert (
        run.main(["flying_shapes", *first, *small, "--steps", "4", "--run-dir", str(folder)]) == 0
    )
    monkeypatch.chdir(tmp_path)
    for data in (first, ["--data", "a/toys.h5"], ["--data", "b/toys.h5"]):
        for sequences in ("3", "4"):
            options = [str(folder), *data, "--sequences", sequences]
            assert evaluate.main(options) == 0
            assert rollout.main([*options, "--seen", "2", "--steps", "2"]) == 0
    for kept in ("evaluations", "rollouts"):
        found = [json.loads(path.read_text()) for path in (folder / kept).glob("*.json")]
        count = "sequences" if kept == "rollouts" else "test.sequences"
        assert sorted((one["data"], one[count]) for one in found) == [
            (f"{tmp_path}/{name}/toys.h5, split 'test'", sequences)
            for name in ("a", "b")
            for sequences in (3, 4)
        ]


@pytest.mark.usefixtures("no_pictures")
def test_digits_are_tested_on_the_published_still_ones(tmp_path, capsys):
    write(tmp_path / "flying_mnist_hard_2digits.h5")
    still = write(tmp_path / "mnist_2digits_downsampled.h5", frames=1)
    folder, source = str(tmp_path / "run"), ["--data-dir", str(tmp_path)]
    small = ["--scale", "smoke", "--steps", "4", "--posterior-sequences", "0", "--run-dir"]
    assert run.main(["flying_mnist", *source, *small, folder]) == 0
    options = ["--steps", "9", "--sequences", "4", "--name", "x"]
    assert evaluate.main([folder, *source, "--frames", "1", *options]) == 0
    found = json.loads((tmp_path / "run/evaluations/x.json").read_text())
    assert found["data"] == f"{still}, split 'test'"
    assert len(found["per_step"]["ami"]) == 9
    capsys.readouterr()
    assert evaluate.main([folder, *source, "--frames", "30", *options]) == 2
    assert "--frames: describes generated data" in capsys.readouterr().err


@pytest.mark.usefixtures("no_pictures")
def test_grey_files_are_for_gaussian_pixels(tmp_path, capsys):
    binary, grey = write(tmp_path / "binary.h5"), write(tmp_path / "grey.h5")
    with h5py.File(grey, "r+") as file:
        for split in file.values():
            split["features"][...] *= np.float32(0.5)
    folder = tmp_path / "run"
    small = ["--scale", "smoke", "--steps", "4", "--posterior-sequences", "0", "--run-dir"]
    for options in ([], ["--guide", "n-em", "--network", "official"]):
        arguments = ["flying_shapes", *options, "--data", str(grey), *small, str(folder)]
        assert run.main(arguments) == 2
        assert "Bernoulli pixels expect frames of 0 and 1, found 0.5" in capsys.readouterr().err
        assert not folder.exists()
    assert run.main(["flying_shapes", "--data", str(binary), *small, str(folder)]) == 0
    capsys.readouterr()
    assert evaluate.main([str(folder), "--data", str(grey)]) == 2
    assert "Bernoulli pixels" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("experiment", "options", "name"),
    [
        ("static_shapes", {"objects": 3, "frames": 1}, "shapes"),
        ("flying_shapes", {"objects": 3, "frames": 1}, "shapes"),
        ("flying_shapes", {"objects": 3}, "flying_shapes"),
        ("flying_shapes", {"objects": 4}, "flying_shapes_4"),
        ("flying_shapes", {"objects": 5}, "flying_shapes_5"),
        ("bouncing_balls", {"objects": 4, "frames": 51}, "balls4mass64"),
        ("bouncing_balls", {"objects": 6, "most_objects": 8}, "balls678mass64"),
        ("bouncing_balls_curtain", {"objects": 3}, "balls3curtain64"),
        ("flying_mnist", {"objects": 2, "variant": "20"}, "flying_mnist_medium20_2digits"),
        ("flying_mnist", {"objects": 2, "variant": "500"}, "flying_mnist_medium500_2digits"),
        ("flying_mnist", {"objects": 2, "variant": "full"}, "flying_mnist_hard_2digits"),
        ("flying_mnist", {"objects": 3, "variant": "full"}, "flying_mnist_hard_3digits"),
        (
            "flying_mnist",
            {"objects": 2, "variant": "full", "frames": 51},
            "flying_mnist_hard_2digits_51",
        ),
        (
            "flying_mnist",
            {"objects": 2, "variant": "full", "frames": 1},
            "mnist_2digits_downsampled",
        ),
    ],
)
def test_files_have_their_published_names(tmp_path, experiment, options, name):
    path = tmp_path / f"{name}.h5"
    with pytest.raises(DataError, match=rf"expected {name}.h5, .* found no .h5 file; download it"):
        published_file(tmp_path, experiment, **options)
    path.touch()
    assert published_file(tmp_path, experiment, **options) == path


def test_what_is_there_instead_is_listed(tmp_path):
    for name in ("shapes.h5", "flying_shapes.h5", "notes.txt"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"shapes_4.h5, .*, found flying_shapes.h5, shapes.h5; "):
        published_file(tmp_path, "flying_shapes", objects=4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sprites", "--data-dir", "."], "no file of sprites was published"),
        (["flying_shapes", "--objects", "2"], "with 2 objects was published, only with 3 objects"),
        (["flying_mnist", "--variant", "20", "--objects", "3"], "3 objects, variant 20 was publi"),
        (["flying_shapes", "--data", "x.h5"], "leave one of them out"),
    ],
)
def test_folders_without_a_use_are_refused(tmp_path, capsys, arguments, message):
    source = [] if "--data-dir" in arguments else ["--data-dir", str(tmp_path)]
    options = ["--scale", "smoke", "--run-dir", str(tmp_path / "run")]
    assert run.main([*arguments, *source, *options]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_no_such_file_was_published():
    with pytest.raises(ConfigError, match="variant full, 51 frames or 3 objects, variant full;"):
        published_file(".", "flying_mnist", objects=3, variant="20")
