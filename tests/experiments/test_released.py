"""Released weights: what is in the files, and that they become runs again."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from experiments import evaluate
from experiments.frames import released
from experiments.frames.assembly import build_objective
from experiments.frames.defaults import defaults
from experiments.frames.model_card import model_card
from experiments.frames.released import (
    WEIGHTS,
    Released,
    find_run,
    read_released,
    released_names,
    unpack,
    write_released,
)
from inference import load_checkpoint, load_weights
from pyro_nem.errors import CheckpointError

SETTINGS = replace(defaults("flying_shapes", "smoke", None, None), steps=7)
SHAPE = (28, 28, 1)


def example():
    weights = build_objective(SETTINGS, SHAPE).state_dict()
    summary = {"command": "python -m experiments.run flying_shapes", "commit": "abc", "seed": 3}
    return Released(SETTINGS, SHAPE, 17, weights, summary)


@pytest.fixture
def file(tmp_path):
    write_released(tmp_path / "shapes.safetensors", example())
    return tmp_path / "shapes.safetensors"


def test_a_file_holds_weights_in_half_precision_and_all_settings(file):
    found, expected = read_released(file), example()
    assert found._replace(weights={}) == expected._replace(weights={})
    assert list(found.weights) == sorted(expected.weights)
    for name, weight in found.weights.items():
        assert weight.dtype == torch.float32
        torch.testing.assert_close(weight, expected.weights[name].half().float(), rtol=0, atol=0)
    assert file.stat().st_size < 2.1 * sum(w.numel() for w in expected.weights.values())


def test_unpacked_weights_are_a_finished_run(file, tmp_path):
    directory = unpack(file, tmp_path / "run")
    assert directory.read_summary() == example().summary
    assert directory.read_config()["image_shape"] == list(SHAPE)
    state = load_checkpoint(directory.best)
    assert state["update"] == 17
    assert {weight.dtype for weight in state["evaluated"].values()} == {torch.float32}
    load_weights(build_objective(SETTINGS, SHAPE), state["evaluated"], directory.best)


def test_weights_are_unpacked_once(file, tmp_path):
    best = unpack(file, tmp_path / "run").best
    before = best.stat().st_mtime_ns
    unpack(file, tmp_path / "run")
    assert best.stat().st_mtime_ns == before
    # A kill in between leaves no summary, and the rest is made again.
    (tmp_path / "run" / "summary.json").unlink()
    best.write_bytes(b"")
    assert load_checkpoint(unpack(file, tmp_path / "run").best)["update"] == 17


def test_other_runs_are_not_overwritten(file, tmp_path):
    unpack(file, tmp_path / "run")
    write_released(file, example()._replace(update=18))
    with pytest.raises(CheckpointError, match="holds something else than the weights of"):
        unpack(file, tmp_path / "run")


def test_a_name_is_a_run(file, tmp_path, monkeypatch):
    monkeypatch.setattr(released, "WEIGHTS", tmp_path)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert released_names() == ["shapes"]
    assert find_run(Path("shapes")).path == Path("runs/released/shapes")
    assert Path("runs/released/shapes/summary.json").exists()
    # A folder of that name comes first if it holds a run.
    Path("shapes").mkdir()
    assert find_run(Path("shapes")).path == Path("runs/released/shapes")
    Path("shapes/config.json").touch()
    assert find_run(Path("shapes")).path == Path("shapes")
    Path("circles").mkdir()
    assert find_run(Path("circles")).path == Path("circles")
    with pytest.raises(CheckpointError, match=r"squares: .* released weights \(shapes\)"):
        find_run(Path("squares"))


def test_a_file_is_a_run(file, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for path in (file, Path("../shapes.safetensors")):
        found = find_run(path)
        assert found.path == Path("runs/released/shapes")
        assert found.read_summary() == example().summary
    with pytest.raises(CheckpointError, match=r"gone\.safetensors: expected a file of released"):
        find_run(Path("gone.safetensors"))
    Path("folder.safetensors").mkdir()
    assert find_run(Path("folder.safetensors")).path == Path("folder.safetensors")


def test_settings_that_came_later_are_the_defaults(file):
    header = read_header(file)
    settings = json.loads(header["settings"])
    del settings["gradient_psi"]
    save_file({}, file, {**header, "settings": json.dumps(settings)})
    assert read_released(file).settings == SETTINGS
    save_file({}, file, {**header, "settings": json.dumps({**settings, "future": 1})})
    with pytest.raises(CheckpointError, match="missing or unknown: future"):
        read_released(file)


def read_header(file):
    with safe_open(file, framework="pt") as opened:
        return opened.metadata()


def cut(file):
    file.write_bytes(file.read_bytes()[:-10])


def change_a_header(file):
    save_file({}, file, {**read_header(file), "settings": "{"})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (Path.unlink, "expected a file of released weights, found none"),
        (cut, "cannot be read .*; take a new copy"),
        (lambda file: file.write_text("weights"), "cannot be read"),
        (lambda file: save_file({}, file), "cannot be read .*settings"),
        (change_a_header, "cannot be read"),
    ],
)
def test_damaged_files_are_refused(damage, message, file):
    damage(file)
    with pytest.raises(CheckpointError, match=message):
        read_released(file)


def test_release_writes_weights_and_a_card(command, environment, smoke_run, tmp_path, monkeypatch):
    said = command("release", smoke_run, "small", "--output", tmp_path)
    assert "written to" in said
    found = read_released(tmp_path / "small.safetensors")
    best = load_checkpoint(smoke_run / "checkpoints" / "best.pt")["evaluated"]
    for name, weight in best.items():
        torch.testing.assert_close(found.weights[name], weight.half().float(), rtol=0, atol=0)
    summary = json.loads((smoke_run / "summary.json").read_text())
    assert found.summary == summary
    card = (tmp_path / "small.md").read_text()
    (line,) = re.findall(r"```bash\npython -m experiments\.(.+)\n```", card)
    assert line.split() == ["evaluate", "small.safetensors"]
    # Unpacked where the command runs, which is not to be the folder of the tests.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYRO_NEM_CACHE", environment["PYRO_NEM_CACHE"])
    assert evaluate.main(["small.safetensors", "--sequences", "4", "--device", "cpu"]) == 0
    assert list((tmp_path / "runs/released/small/evaluations").glob("*.json"))
    run, half = re.search(r"log likelihood, nats a frame \| (\S+) \| (\S+) \|", card).groups()
    assert run == f"{summary['test.log_likelihood']:.4f}"
    assert float(half) == pytest.approx(float(run), rel=1e-4)
    assert summary["command"] in card


def test_release_refuses_names_that_are_paths_and_data_of_ones_own(command, smoke_run, tmp_path):
    assert "expected letters, digits" in command("release", smoke_run, "../small", expect=2)
    config = json.loads((smoke_run / "config.json").read_text())
    config["settings"]["data"] = "mine.h5"
    (tmp_path / "config.json").write_text(json.dumps(config))
    said = command("release", tmp_path, "small", "--output", tmp_path, expect=2)
    assert "mine.h5, a file that others do not have" in said
    assert not (tmp_path / "small.safetensors").exists()


def test_a_card_says_what_its_scores_are_of():
    def rows(**changes):
        found = example()
        found.summary.update(dict.fromkeys(("test.ami", "test.ami_last"), 0.5))
        found.summary.update(device="x", wall_seconds=1, updates=4, parameters=5)
        found.summary["test.sequences"] = 8
        found = found._replace(settings=replace(SETTINGS, **changes))
        made = {"command": "python -m experiments.release", "commit": "abc"}
        scores = {"ami": 0.5, "ami_last": 0.5}
        card = model_card("x", found, scores, size=1, made=made, packaged=False)
        return [line.split(" | ")[0] for line in card.splitlines() if line.startswith("| ")]

    assert rows() == [
        "| test, 8 sequences with noise",
        "| AMI, mean over the steps",
        "| AMI, last step",
    ]
    quiet = replace(SETTINGS.noise, probability=0.0)
    assert rows(noise=quiet, step_weights="last") == [
        "| test, 8 sequences without noise",
        "| AMI, last step",
    ]


def test_the_package_brings_weights():
    assert {"flying_mnist", "flying_shapes", "flying_shapes_5", "static_shapes"} <= set(
        released_names()
    )


@pytest.mark.parametrize("name", released_names())
def test_weights_of_the_package_can_be_used(name):
    file = WEIGHTS / f"{name}.safetensors"
    found = read_released(file)
    load_weights(build_objective(found.settings, found.image_shape), found.weights, file)
    assert file.stat().st_size < 5e6
    assert "+changes" not in found.summary["commit"]
    card = file.with_suffix(".md").read_text(encoding="utf-8")
    made = {"command": "python -m experiments.release", "commit": "abc"}
    again = model_card(name, found, {}, size=1, made=made, packaged=True)
    for text in (card, again):
        assert f"\n\n```bash\npython -m experiments.evaluate {name}\n" in text
        assert "In the folder of this card" not in text
    assert f"mean over the steps | {found.summary['test.ami']:.4f} |" in card
