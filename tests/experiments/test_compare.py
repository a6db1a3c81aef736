"""Comparing runs. Weights do not depend on K, so one run makes several."""

import json
import re
import shutil

import numpy as np
import pytest
from smoke_commands import read

from experiments.compare import main
from experiments.frames.assembly import build_objective
from experiments.frames.open_run import open_run, trained_settings
from inference import RunDirectory, importance_weighted, save_checkpoint
from pyro_nem.data import SPLITS, FrameBlock, Split, write_frames


@pytest.fixture(scope="module")
def folder(smoke_run, environment, tmp_path_factory):
    """Runs named by what is theirs; all but the vrnn have the same weights."""
    runs = tmp_path_factory.mktemp("compared")
    derive(smoke_run, runs / "a")
    derive(smoke_run, runs / "b", training={"seed": 1})
    derive(smoke_run, runs / "k5", components=5)
    derive(smoke_run, runs / "vrnn", guide="vrnn")
    derive(smoke_run, runs / "vrnn5", guide="vrnn", components=5)
    for name in ("vrnn", "vrnn5"):
        directory = RunDirectory(runs / name)
        weights = build_objective(trained_settings(directory), (28, 28, 1)).state_dict()
        save_checkpoint(directory.best, {"update": 0, "evaluated": weights})
    derive(smoke_run, runs / "grey", pixels="gaussian")
    derive(smoke_run, runs / "other", objects=2)
    derive(smoke_run, runs / "short", steps=4)
    noise = read(smoke_run / "config.json")["settings"]["noise"]
    derive(smoke_run, runs / "clean", noise={**noise, "probability": 0.05})
    derive(smoke_run, runs / "unfinished", components=4)
    (runs / "unfinished" / "summary.json").unlink()
    return runs


@pytest.fixture(autouse=True)
def cache(environment, monkeypatch):
    monkeypatch.setenv("PYRO_NEM_CACHE", environment["PYRO_NEM_CACHE"])


def derive(run, folder, *, training=None, **changes):
    shutil.copytree(run, folder)
    config = read(folder / "config.json")
    config["settings"].update(changes)
    config["settings"]["training"].update(training or {})
    (folder / "config.json").write_text(json.dumps(config))


def by_hand(path, sequences, quantity="predictive"):
    """Return log p of each sequence, or a bound on it, in nats."""
    directory = RunDirectory(path)
    settings = trained_settings(directory)
    with open_run(directory, settings) as run:
        found = importance_weighted(
            run.objective, run.source, steps=20, noise=settings.noise, sequences=sequences,
            particles=10, seed=2**31,
        )  # fmt: skip
    return getattr(found, quantity).numpy() * 20


def test_runs_are_ranked(folder, tmp_path, capsys):
    runs = [str(folder / name) for name in ("a", "b", "k5")]
    assert main([*runs, "--sequences", "6", "--output", str(tmp_path / "out")]) == 0
    found = read(tmp_path / "out" / "comparison.json")
    one, five = by_hand(folder / "a", 6), by_hand(folder / "k5", 6)
    models = {model["name"]: model for model in found["models"]}
    assert models["3/3, smoke, located"]["seeds"] == 2
    assert models["3/3, smoke, located"]["mean"] == pytest.approx(one.mean(), rel=1e-6)
    assert models["3/5, smoke, located"]["mean"] == pytest.approx(five.mean(), rel=1e-6)
    difference = one - five if five.mean() > one.mean() else five - one
    last = found["models"][-1]
    assert last["difference"] == pytest.approx(difference.mean(), rel=1e-4)
    assert last["difference_error"] == pytest.approx(difference.std(ddof=1) / 6**0.5, rel=1e-4)
    assert (found["sequences"], found["unit"]) == (6, "nats a sequence")
    printed = capsys.readouterr().out
    assert "knew of the earlier ones" in printed
    table = printed[printed.index("| model") : printed.index("in ")]
    assert table in (tmp_path / "out" / "comparison.md").read_text()
    assert (tmp_path / "out" / "comparison.png").stat().st_size > 1000


def test_a_vrnn_is_held_against_point_masses_by_its_predictions_alone(folder, capsys):
    assert main([str(folder / "a"), str(folder / "vrnn"), "--sequences", "3"]) == 0
    printed = capsys.readouterr().out
    assert "of a vrnn the log of the mean over 10 draws, on average too low" in printed
    predicted = by_hand(folder / "vrnn", 3).mean()
    assert f"| 3/3 vrnn, smoke, located | 1 | {predicted:.2f} ±" in printed


def test_bounds_are_compared_with_bounds(folder, capsys):
    runs = [str(folder / "vrnn"), str(folder / "vrnn5"), "--score", "bound"]
    assert main([*runs, "--sequences", "3"]) == 0
    printed = capsys.readouterr().out
    assert "bound of 10 draws on log p(x), states from the learned prior" in printed
    bound = by_hand(folder / "vrnn5", 3, "iwae").mean()
    assert f"| 3/5 vrnn, smoke, located | 1 | {bound:.2f} ±" in printed


def test_static_images_are_scored_as_denoised(folder, tmp_path, capsys):
    file = tmp_path / "static.h5"
    images = np.random.default_rng(0).integers(0, 2, (1, 4, 28, 28, 1), np.uint8)
    blocks = [FrameBlock(images, np.zeros_like(images))]
    write_frames(file, {split: Split(4, blocks) for split in SPLITS}, {})
    options = ["--data", str(file), "--sequences", "4"]
    assert main([str(folder / "a"), str(folder / "k5"), *options]) == 0
    printed = capsys.readouterr().out
    assert "no likelihood of unseen data. Nats an image, over 4 sequences" in printed
    # A fair coin for each of the 784 pixels costs 543 nats, whatever the number of steps.
    mean = float(re.search(r"1 \| (-\d+\.\d+) ±", printed)[1])
    assert -3000 < mean < -500
    bounds = [str(folder / "vrnn"), str(folder / "vrnn5"), "--score", "bound"]
    assert main([*bounds, *options]) == 2
    assert "holds static images, which a vrnn explains once a step" in capsys.readouterr().err


def test_runs_of_one_name_are_called_by_their_folder(folder, smoke_run, tmp_path, capsys):
    derive(smoke_run, tmp_path / "a|b", training_sequences=63)
    assert main([str(folder / "a"), str(tmp_path / "a|b"), "--data", data_of(smoke_run)]) == 0
    printed = capsys.readouterr().out
    assert rf"| {tmp_path}/a\|b | 1 |" in printed
    # Equal weights on equal frames, with equal noise.
    assert "0.00 ± 0.00 | noise |" in printed


def data_of(run):
    directory = RunDirectory(run)
    with open_run(directory, trained_settings(directory)) as opened:
        return opened.source.name.split(", split")[0]


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["a"], [], "expected runs of at least two settings, got 1 of one"),
        (["a", "b"], [], "expected runs of at least two settings, got 2 of one"),
        (["a", "k5", "a"], [], "seed 0 of these settings is there twice"),
        (["a", "unfinished"], [], "summary.json: expected this file of a run, found none; resume"),
        (["a", "nowhere"], [], "nowhere: expected the folder of a run, the name of released"),
        (["a", "other"], [], "which are other frames; compare runs of the same data"),
        (["a", "short"], [], "20 steps of"),
        (["a", "clean"], [], "noise of 0.05; give --noise, with which all are then scored"),
        (["a", "grey"], [], "a probability and a density cannot be compared"),
        (["vrnn", "k5"], ["--score", "bound"], "has the guide rnn-em, whose point masses have"),
        (["a", "k5"], ["--sequences", "1"], "--sequences: expected at least 2, got 1"),
        (["a", "k5"], ["--particles", "0"], "--particles: expected at least 1, got 0"),
        (["a", "k5"], ["--particles", "10"], "--particles: none of the runs has the guide vrnn"),
        (["a", "k5"], ["--sequences", "65"], "holds 64, fewer than the 65"),
        ([], [], "expected at least one folder"),
    ],
)
def test_what_cannot_be_compared_is_explained(folder, capsys, names, options, message):
    assert main([*(str(folder / name) for name in names), *options]) == 2
    printed = capsys.readouterr().err
    assert message in printed
    if {"other", "short", "clean"} & set(names):
        assert all(str(folder / name) in printed for name in names)


def test_other_steps_can_be_asked_for(folder, capsys):
    runs = [str(folder / "a"), str(folder / "short")]
    assert main([*runs, "--steps", "4", "--sequences", "4"]) == 0
    assert "| 3/3, steps 4, smoke, located | 1 |" in capsys.readouterr().out


def test_other_noise_can_be_asked_for(folder, tmp_path):
    """One guide on the noise of both: as trained for the first, and asked of the second."""
    runs = [str(folder / "a"), str(folder / "clean")]
    options = ["--noise", "0.2", "--sequences", "4", "--output", str(tmp_path)]
    assert main([*runs, *options]) == 0
    found = read(tmp_path / "comparison.json")
    assert found["noise"] == 0.2
    assert {model["mean"] for model in found["models"]} == {by_hand(folder / "a", 4).mean()}


def test_help_explains(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "what is noise" in capsys.readouterr().out
