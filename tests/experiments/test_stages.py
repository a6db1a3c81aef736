"""Flying digits: settings, and a staged run that is stopped and goes on at the right stage."""

import json
import shlex

import pytest
import small_mnist
import torch

from experiments.collect import collect
from experiments.evaluate import main as evaluate
from experiments.frames import finish as finish_module
from experiments.frames import run as run_module
from experiments.frames.assembly import build_objective
from experiments.frames.config import FrameExperiment
from experiments.frames.defaults import defaults
from experiments.frames.options import resolve
from experiments.frames.run_options import RunOptions
from experiments.frames.stages import plan, stages
from experiments.report.read_run import read_run
from experiments.rollout import main as rollout
from experiments.run import main as run
from experiments.sweep import main as sweep
from experiments.sweeping.run_state import run_state
from inference import RunDirectory, load_checkpoint
from models import GaussianPixels
from pyro_nem.data import Noise
from pyro_nem.errors import DataError

SMOKE = ["flying_mnist", "--scale", "smoke"]
STAGED = [*SMOKE, "--staged"]
NAME = "runs/flying_mnist/smoke-rnn-em-located-2objects-k2-staged-seed0"


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    """A folder with a small stand-in for MNIST."""
    small_mnist.put(tmp_path / "data", monkeypatch)
    monkeypatch.setenv("PYRO_NEM_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_pictures(monkeypatch):
    monkeypatch.setattr(finish_module, "draw_pictures", lambda *_: None)
    monkeypatch.setattr(finish_module, "write_report", lambda *_: None)


def read(path):
    return json.loads(path.read_text())


def numbers(directory):
    return [{k: v for k, v in r.items() if k != "seconds"} for r in directory.read_metrics()]


def parts(path):
    """Return the stages in a folder, as a staged run at smoke scale has them."""
    settings = defaults("flying_mnist", "smoke", None, None)
    settings = FrameExperiment(**{**vars(settings), "staged": True})
    return stages(settings, RunDirectory(path))


def interrupt_once(monkeypatch, module, name, call):
    """Let a function that a module of a run calls be interrupted at its call of that number."""
    calls, original = [], getattr(module, name)

    def interrupted(*arguments):
        calls.append(name)
        if len(calls) == call:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(module, name, interrupted)


def test_the_paper_scale_is_the_released_codes():
    settings = defaults("flying_mnist", "paper", None, None)
    objective = build_objective(settings, (24, 24, 1))
    assert sum(p.numel() for p in objective.parameters()) == 1_835_091
    assert objective.model.pixels == GaussianPixels(0.25)
    assert settings.views == ("normalised-residual",)
    assert settings.noise == Noise("masked-uniform", 0.2)
    assert (settings.objects, settings.components, settings.steps) == (2, 2, 20)
    assert settings.inter_weight == 0.2
    rates = {
        variant: defaults("flying_mnist", "paper", None, None, variant).training.learning_rate
        for variant in ("20", "500", "full")
    }
    assert rates == {"20": 1e-3, "500": 5e-4, "full": 5e-4}
    psi = objective.model.decode(torch.rand(4, 2, 250))
    assert psi.min() < 0


def test_a_run_is_scored_tested_otherwise_and_continued(workspace, capsys):
    folder = workspace / "run"
    assert run([*SMOKE, "--network", "official", "--run-dir", str(folder)]) == 0
    summary = read(folder / "summary.json")
    for name in ("ami", "ami_last", "ari", "ari_last", "next_step_bce", "log_likelihood"):
        assert isinstance(summary[f"test.{name}"], float)
    assert (folder / "figures" / "segmentation_test.gif").exists()
    options = ["--steps", "25", "--sequences", "4"]
    assert evaluate([str(folder), "--objects", "3", "--components", "3", *options]) == 0
    assert evaluate([str(folder), "--frames", "1", *options]) == 0
    found = {path.stem: read(path) for path in (folder / "evaluations").glob("*.json")}
    assert set(found) == {
        "test-3objects-k3-t25-4sequences-best",
        "test-2objects-k2-t25-frames1-4sequences-best",
    }
    assert "digits-3-objects-26-frames" in found["test-3objects-k3-t25-4sequences-best"]["data"]
    assert (
        "digits-2-objects-1-frames" in found["test-2objects-k2-t25-frames1-4sequences-best"]["data"]
    )
    assert all(len(one["per_step"]["ami"]) == 25 for one in found.values())
    assert rollout([str(folder), "--steps", "2", "--seen", "3", "--sequences", "4"]) == 0
    (row, *_) = collect([RunDirectory(folder)])
    assert (row.setting, row.paper) == ("direct, official network", 0.819)
    capsys.readouterr()
    assert evaluate([str(folder), "--frames", "1", "--data", "x"]) == 2
    assert "--frames: describes generated data" in capsys.readouterr().err


@pytest.mark.parametrize("guide", ["vrnn", "r-nem"])
def test_every_guide_runs(guide, workspace, no_pictures):
    folder = workspace / "run"
    assert run([*SMOKE, "--variant", "20", "--guide", guide, "--run-dir", str(folder)]) == 0
    (row, *_) = collect([RunDirectory(folder)])
    assert (row.setting, row.paper) == (f"direct {guide}, 20 digits", None)


def test_published_files_of_all_stages_are_in_one_folder(tmp_path):
    names = {
        "20": "flying_mnist_medium20_2digits.h5",
        "500": "flying_mnist_medium500_2digits.h5",
        "full": "flying_mnist_hard_2digits.h5",
    }
    options = RunOptions("flying_mnist", staged=True, data_dir=tmp_path, scale="smoke")
    for variant in ("full", "20"):
        (tmp_path / names[variant]).touch()
    settings = resolve(options)[0]
    directory = RunDirectory(tmp_path / "run")
    with pytest.raises(DataError, match=r"expected flying_mnist_medium500_2digits\.h5"):
        stages(settings, directory)
    (tmp_path / names["500"]).touch()
    found = stages(settings, directory)
    assert [part.settings.variant for part in found] == list(names)
    assert [part.settings.data for part in found] == [str(tmp_path / n) for n in names.values()]


def test_a_stopped_staged_run_goes_on_at_its_stage(workspace, monkeypatch, no_pictures, capsys):
    whole = workspace / "whole"
    begun = []

    def begin_with(objective, before, processes):
        original(objective, before, processes)
        best = load_checkpoint(before.best)["evaluated"]
        held = objective.state_dict()
        assert all(torch.equal(held[name], best[name]) for name in best)
        begun.append(before.path)

    original = run_module.begin_with
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "begin_with", begin_with)
        assert run([*STAGED, "--run-dir", str(whole)]) == 0
    assert begun == [whole / "stages" / "20", whole / "stages" / "500"]
    first, second, last = parts(whole)
    assert [read(s.directory.summary)["updates"] for s in (first, second, last)] == [4, 8, 12]
    assert [s.directory.read_settings()["variant"] for s in parts(whole)] == ["20", "500", "full"]
    for name in ("segmentation_test.gif", "overview_test_0.png", "segmentation_train.gif",
                 "overview_train_0.png"):  # fmt: skip
        (whole / "figures" / name).touch()
    earlier = read_run(RunDirectory(whole)).earlier
    assert {name: one["updates"] for name, one in earlier.items()} == {
        "20 digits": 4,
        "500 digits": 8,
    }
    files = [p.name.split("-frames")[0] for p in (workspace / "cache").glob("digits*")]
    expected = ["digits-2-objects-21", "digits-2-objects-of-20-21", "digits-2-objects-of-500-21"]
    assert sorted(files) == expected

    asked, folder = last.settings, RunDirectory(workspace / NAME)
    command = shlex.join(["python", "-m", "experiments.run", *STAGED])
    assert run_state(asked, folder) == "new"
    capsys.readouterr()
    beginning, scoring = (run_module, "begin_with"), (finish_module, "test_scores")
    for module, name in (beginning, scoring, beginning):
        with monkeypatch.context() as patch:
            interrupt_once(patch, module, name, 1)
            assert (
                run(STAGED if run_state(asked, folder) == "new" else [*STAGED, "--resume"]) == 130
            )
        assert f"--resume --run-dir {NAME}" in capsys.readouterr().out
        assert run_state(asked, folder) == "interrupted"
    assert sweep([*STAGED, "--seeds", "2", "--dry-run"]) == 0
    first_line, second_line = capsys.readouterr().out.splitlines()
    assert first_line.startswith("interrupted")
    assert first_line.endswith("--resume")
    assert second_line.startswith("new")
    assert "--staged" in shlex.split(second_line)
    assert run(["flying_mnist", "--resume", "--run-dir", NAME]) == 0
    printed = capsys.readouterr().out
    assert "stage 20: finished" in printed
    assert "stage 500: finished" in printed
    assert run_state(asked, folder) == "finished"
    for ours, theirs in zip(parts(folder.path), parts(whole), strict=True):
        assert numbers(ours.directory) == numbers(theirs.directory)
        assert ours.directory.read_summary()["command"] == command
        assert ours.directory.read_config()["command"] == command
    (row, *_) = collect([folder])
    assert (row.setting, row.paper) == ("staged", 0.917)


def test_a_plan_of_an_earlier_version_has_no_command(workspace, monkeypatch, no_pictures):
    with monkeypatch.context() as patch:
        interrupt_once(patch, run_module, "begin_with", 1)
        assert run(STAGED) == 130
    held = plan(RunDirectory(workspace / NAME))
    held.config.write_text(json.dumps({"settings": held.read_settings()}))
    assert run(["flying_mnist", "--resume", "--run-dir", NAME]) == 0
    commands = {part.directory.read_summary()["command"] for part in parts(workspace / NAME)}
    assert commands == {shlex.join(["python", "-m", "experiments.run", *STAGED])}


def test_a_stage_can_be_resumed_by_itself_but_never_mixed(workspace, no_pictures, capsys):
    folder = workspace / "run"
    with pytest.MonkeyPatch.context() as patch:
        interrupt_once(patch, finish_module, "test_scores", 1)
        assert run([*STAGED, "--run-dir", str(folder)]) == 130
    stage = folder / "stages" / "20"
    assert not (stage / "summary.json").exists()
    capsys.readouterr()
    for arguments, message in (
        ([*STAGED], "holds a run already"),
        ([*STAGED, "--resume", "--updates", "9"], "holds a run with updates 4"),
    ):
        assert run([*arguments, "--run-dir", str(folder)]) == 2
        assert message in capsys.readouterr().err
    assert run(["flying_mnist", "--resume", "--run-dir", str(stage)]) == 0
    assert (stage / "summary.json").exists()
    assert not (folder / "stages" / "500").exists()
    assert run([*STAGED, "--resume", "--run-dir", str(stage)]) == 0
    (row, *_) = collect([RunDirectory(stage)])
    assert row.setting == "staged, 20 digits"
    direct = workspace / "direct"
    assert run([*SMOKE, "--run-dir", str(direct)]) == 0
    capsys.readouterr()
    assert run([*STAGED, "--resume", "--run-dir", str(direct)]) == 2
    assert "holds a run with staged False" in capsys.readouterr().err
