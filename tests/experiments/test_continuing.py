"""Which run ``--resume`` means, and which there are where it finds none."""

import os

import pytest

from experiments.run import main


def put_run(folder, name, file, age):
    path = folder / "runs" / "static_shapes" / name / file
    path.parent.mkdir(parents=True)
    path.touch()
    os.utime(path, (1e9 - age, 1e9 - age))
    return path.parent


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("experiment", ["static_shapes", "strokes", "vae_mnist"])
def test_without_any_run_it_is_told_how_to_begin(capsys, experiment):
    assert main([experiment, "--resume", "--scale", "smoke"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: runs/{experiment}/smoke-")
    assert f"no run in runs/{experiment} waits to be continued" in said


def test_runs_that_are_not_finished_are_named_the_latest_first(folder, capsys):
    last = "checkpoints/last.pt"
    put_run(folder, "old", last, 30)
    put_run(folder, "new", last, 10)
    put_run(folder, "staged", f"stages/20/{last}", 20)
    put_run(folder, "finished", last, 0)
    (folder / "runs/static_shapes/finished/summary.json").touch()
    put_run(folder, "not begun", "config.json", 0)
    assert main(["static_shapes", "--resume", "--scale", "smoke"]) == 2
    said = capsys.readouterr().err
    assert "smoke-rnn-em-located-3objects-k4-seed0: expected a run to continue" in said
    named = [
        f"    --resume --run-dir runs/static_shapes/{name}" for name in ("new", "staged", "old")
    ]
    assert said.splitlines()[1:] == named


def test_of_many_runs_the_latest_are_named(folder, capsys):
    for age in range(7):
        put_run(folder, f"run-{age}", "checkpoints/last.pt", age)
    assert main(["static_shapes", "--resume", "--scale", "smoke"]) == 2
    lines = capsys.readouterr().err.splitlines()[1:]
    assert [line[-1] for line in lines[:-1]] == ["0", "1", "2", "3", "4"]
    assert lines[-1].strip() == "and 2 more"


def test_the_folder_of_the_same_options_is_continued(folder, capsys):
    put_run(folder, "smoke-rnn-em-located-3objects-k4-updates9-seed0", "config.json", 0)
    assert main(["static_shapes", "--scale", "smoke", "--updates", "9", "--resume"]) == 2
    assert "updates9-seed0/config.json: is not valid JSON" in capsys.readouterr().err
