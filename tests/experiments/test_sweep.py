"""What a sweep starts, resumes, skips and reports; its runs are made up."""

import csv
import json
import statistics
import sys
from pathlib import Path

import pytest

from experiments import kinds, sweep
from experiments.frames.run_options import RunOptions
from experiments.processes import Outcome
from experiments.sweep import main
from experiments.sweeping import run_points
from experiments.sweeping.options import SweepOptions
from inference import RunDirectory

GRID = ["flying_shapes", "--scale", "smoke", "--seeds", "2", "--components", "3", "5"]
RUNS = Path("runs/flying_shapes")
NAMES = [f"smoke-rnn-em-located-3objects-k{k}-seed{seed}" for seed in (0, 1) for k in (3, 5)]


class Runner:
    """Stands for the processes: writes the files of a run at once."""

    def __init__(self):
        self.commands = []
        self.at_once = None
        self.otherwise = {}

    def __call__(self, jobs, at_once, *, should_stop, started, ended, stopping):
        self.at_once = at_once
        for slot, job in enumerate(jobs):
            command = job.prepare(slot)
            started(job, command)
            self.commands.append(command)
            if job.log.parent.name in self.otherwise:
                ended(self.otherwise[job.log.parent.name])
            else:
                finish(job.log.parent, command)
                ended(Outcome(job.name, "finished", 61.0))


def settings_of(arguments):
    axes = sweep.to_axes("flying_shapes", arguments, ())
    (point,) = sweep.expand("flying_shapes", axes, "cpu", "test")
    return point.settings


def begin(folder, arguments):
    settings = json.loads(json.dumps(settings_of(arguments).to_dict()))
    RunDirectory(folder).create({"settings": settings})
    (folder / "checkpoints" / "last.pt").write_bytes(b"weights")


def finish(folder, command):
    end = command.index("--device" if "--device" in command else "--threads")
    arguments = command[command.index("flying_shapes") + 1 : end]
    if "--resume" not in command:
        begin(folder, arguments)
    settings = settings_of(arguments)
    value = settings.components / 10 + settings.training.seed / 100
    summary = {"seed": settings.training.seed, "wall_seconds": 1.0, "test.ami": value}
    summary.update({"test.ami_last": value, "command": "c", "commit": "abc", "device": "cpu"})
    (folder / "summary.json").write_text(json.dumps(summary))


@pytest.fixture
def runner(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kinds, "data_file", lambda settings: None)
    runner = Runner()
    monkeypatch.setattr(run_points, "run_jobs", runner)
    return runner


def test_a_grid_is_run_and_tabulated(runner, capsys):
    assert main([*GRID, "--jobs", "3", "--threads", "1"]) == 0
    assert runner.at_once == 3
    expected = "experiments.run flying_shapes --scale smoke --components 5 --seed 1 --threads 1"
    assert runner.commands[3] == [sys.executable, "-m", *expected.split()]
    assert sorted(path.name for path in RUNS.iterdir()) == sorted(NAMES)
    printed = capsys.readouterr().out
    assert f"4/4 finished: {RUNS / NAMES[3]} after 1:01, test AMI 0.510 (last 0.510)" in printed
    # Mean and deviation of 0.50 and 0.51.
    assert "| 3/5 | smoke, located | test.ami | 0.5050 | 0.0071 | 0, 1 | 0.997 |" in printed
    with Path("runs/tables/flying_shapes.csv").open() as file:
        rows = {(row["setting"], row["metric"]): row for row in csv.DictReader(file)}
    assert float(rows["3/3", "test.ami"]["mean"]) == pytest.approx(0.305)
    deviation = statistics.stdev([0.30, 0.31])
    assert float(rows["3/3", "test.ami"]["std"]) == pytest.approx(deviation)
    assert json.loads(Path("runs/tables/flying_shapes.json").read_text())["rows"]
    assert "unchecked" in Path("runs/tables/flying_shapes.md").read_text()


def test_the_same_command_resumes_what_was_interrupted_and_runs_nothing_twice(runner, capsys):
    assert main([*GRID, "--threads", "1"]) == 0
    (RUNS / NAMES[1] / "summary.json").unlink()
    runner.commands.clear()
    assert main([*GRID, "--threads", "1"]) == 0
    assert [command[-2:] for command in runner.commands] == [["1", "--resume"]]
    runner.commands.clear()
    assert main([*GRID, "--threads", "1"]) == 0
    assert runner.commands == []
    printed = capsys.readouterr().out
    assert f"continued: {RUNS / NAMES[1]}" in printed
    assert printed.count("| 3/5 | smoke, located | test.ami | 0.5050") == 3


def test_data_are_prepared_once_and_for_no_finished_run(runner, monkeypatch):
    prepared = []
    monkeypatch.setattr(kinds, "data_file", lambda s: prepared.append((s.objects, s.frames)))
    assert main([*GRID, "--threads", "1"]) == 0
    assert prepared == [(3, 21)]
    assert main([*GRID, "--threads", "1"]) == 0
    assert prepared == [(3, 21)]
    assert main([*GRID, "--threads", "1", "--objects", "3", "5"]) == 0
    assert prepared == [(3, 21), (5, 21)]


@pytest.mark.parametrize(
    ("experiment", "option", "values", "different"),
    [
        ("flying_shapes", "--objects", ("3", "4"), True),
        ("flying_shapes", "--steps", ("20", "40"), True),
        ("flying_shapes", "--components", ("3", "4"), False),
        ("flying_mnist", "--variant", ("20", "full"), True),
        ("sprites", "--most-objects", ("6", "7"), True),
        ("chorales", "--tunes", ("jsb", "nottingham"), True),
        ("chorales", "--smoothing", ("on", "off"), False),
        ("speech", "--law", ("gaussian", "autoregressive"), False),
        ("handwriting", "--normalisation", ("pooled", "published"), True),
        ("iwae_mnist", "--binarization", ("dynamic", "fixed"), True),
        ("iwae_mnist", "--particles", ("5", "50"), False),
    ],
)
def test_runs_of_other_data_are_told_apart(experiment, option, values, different):
    axes = {"--scale": ("laptop",), "--seed": ("0", "1"), option: values}
    points = sweep.expand(experiment, axes, "cpu", "test")
    data = {kinds.kind_of(experiment).data(point.settings) for point in points}
    assert len(data) == (2 if different else 1)


def test_failed_and_broken_runs_do_not_stop_the_others(runner, capsys):
    begin(RUNS / NAMES[0], ["--scale", "smoke", "--components", "3", "--test-sequences", "5"])
    name = str(RUNS / NAMES[1])
    runner.otherwise[NAMES[1]] = Outcome(name, "failed", 3.0, "exit code 1; the end:\nno luck")
    assert main([*GRID, "--threads", "1"]) == 1
    out, err = capsys.readouterr()
    assert (
        f"1/4 failed: {RUNS / NAMES[0]}\n    {RUNS / NAMES[0]}: holds a run with test-sequ" in out
    )
    assert (
        f"2/4 failed: {RUNS / NAMES[1]} after 0:03\n    exit code 1; the end:\n    no luck" in out
    )
    assert f"failed: {RUNS / NAMES[0]}\nfailed: {RUNS / NAMES[1]}\n" in err
    assert "| 3/5 | smoke, located | test.ami | 0.5100 |  | 1 | 0.997 |" in out
    assert len(runner.commands) == 3


@pytest.mark.parametrize(("state", "code"), [("busy", 1), ("interrupted", 130)])
def test_what_is_left_to_do_is_said(runner, capsys, state, code):
    runner.otherwise[NAMES[1]] = Outcome(str(RUNS / NAMES[1]), state)
    assert main([*GRID, "--threads", "1"]) == code
    error = capsys.readouterr().err
    assert error == f"{state}: {RUNS / NAMES[1]}\nthe same command goes on with these\n"


def test_a_dry_run_lists_and_touches_nothing(runner, capsys):
    begin(RUNS / NAMES[0], ["--scale", "smoke"])
    begin(RUNS / NAMES[1], ["--scale", "smoke", "--components", "5"])
    (RUNS / NAMES[0] / "summary.json").write_text("{}")
    (RUNS / NAMES[2]).mkdir()
    (RUNS / NAMES[2] / "config.json").write_text("{")
    before = sorted(Path().rglob("*"))
    assert main([*GRID, "--jobs", "2", "--threads", "4", "--dry-run"]) == 0
    assert runner.commands == []
    assert sorted(Path().rglob("*")) == before
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["finished", "interrupted", "broken", "new"]
    assert lines[1].endswith("--components 5 --seed 0 --threads 4 --resume")
    assert "config.json: is not valid JSON" in lines[2]


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)


def test_runs_are_dealt_out_to_devices(runner, two_gpus):
    assert main([*GRID, "--devices", "cuda:1", "cuda:0", "--threads", "1"]) == 0
    assert runner.at_once == 2
    places = [command[command.index("--device") + 1] for command in runner.commands]
    assert places == ["cuda:1", "cuda:0", "cuda:1", "cuda:0"]


def test_the_scale_is_that_of_the_devices(runner, two_gpus, capsys):
    for devices, scale in (([], "paper"), (["cpu"], "laptop"), (["cuda:1"], "paper")):
        given = ["--devices", *devices] if devices else []
        assert main(["flying_shapes", "--seed", "3", *given, "--dry-run"]) == 0
        (line,) = capsys.readouterr().out.splitlines()
        assert ("--device" in line) == bool(devices)
        (point,) = sweep.expand("flying_shapes", {"--seed": ("3",)}, *(devices or [None]), "test")
        assert point.settings.scale == scale


def test_runs_share_the_cores(monkeypatch):
    monkeypatch.setattr("torch.get_num_threads", lambda: 8)
    threads = [SweepOptions("flying_shapes", jobs=n).threads_of_a_run() for n in (None, 3, 20)]
    assert threads == [8, 2, 1]
    assert SweepOptions("flying_shapes", cluster="slurm").threads_of_a_run() is None


def test_no_option_of_a_run_is_hidden_by_one_of_the_sweep():
    both = set(vars(RunOptions("flying_shapes"))) & set(vars(SweepOptions("flying_shapes")))
    assert both == {"experiment", "threads"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seed", "4"], "--seeds: is a number of seeds, and --seed names them"),
        (["--jobs", "0"], "--jobs: expected at least 1, got 0"),
        (["--jbos", "2"], "did you mean --jobs?"),
        (["--cluster-options", "a=1"], "--cluster-options: are of no use without --cluster"),
        (["--cluster", "slurm", "--devices", "cpu"], "--devices: on a cluster"),
    ],
)
def test_bad_command_lines_are_explained(runner, capsys, words, message):
    assert main([*GRID, *words]) == 2
    assert message in capsys.readouterr().err
    assert runner.commands == []


def test_a_cluster_wants_to_know_the_scale(runner, capsys):
    assert main(["flying_shapes", "--cluster", "slurm"]) == 2
    assert "--scale: has to be given with --cluster" in capsys.readouterr().err


def test_help_explains(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "every option of experiments.run" in capsys.readouterr().out
