"""A sweep of real runs, stopped and continued."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.sweeping.grid import expand
from experiments.sweeping.options import SweepOptions
from experiments.sweeping.run_points import run_points

ROOT = Path(__file__).parents[2]
SMOKE = ["static_shapes", "--scale", "smoke"]


@pytest.fixture
def environment(tmp_path):
    settings = {"PYTHONPATH": ROOT, "OMP_NUM_THREADS": 1, "PYRO_NEM_CACHE": tmp_path / "cache"}
    return {**os.environ, **{name: str(value) for name, value in settings.items()}}


def read_table(folder):
    with (folder / "runs" / "tables" / "static_shapes.csv").open() as file:
        return {row["metric"]: row for row in csv.DictReader(file)}


def sweep(*arguments):
    return [sys.executable, "-W", "error", "-m", "experiments.sweep", *SMOKE, *arguments]


def test_runs_are_jobs_of_submitit(tmp_path, environment):
    done = subprocess.run(
        sweep("--seed", "5", "--updates", "2", "--cluster", "local"),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1/1 finished: runs/static_shapes/smoke-" in done.stdout
    assert read_table(tmp_path)["test.ami"]["seeds"] == "5"


def test_a_stopped_sweep_goes_on_to_the_end(tmp_path, environment):
    """Two runs, stopped together by Ctrl-C in the midst of training."""
    command = sweep("--updates", "20", "--seeds", "2", "--jobs", "2")
    folder = tmp_path / "runs" / "static_shapes"
    runs = [folder / f"smoke-rnn-em-located-3objects-k4-updates20-seed{seed}" for seed in (0, 1)]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 120
        while not all((run / "metrics.jsonl").exists() for run in runs):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        printed = process.stdout.read()
        assert process.wait(timeout=60) == 130
    assert "stopping: the runs save" in printed
    for run in runs:
        assert f"interrupted: {run.relative_to(tmp_path)} after" in printed
        assert len((run / "metrics.jsonl").read_text().splitlines()) < 20
        assert "interrupted; continue with" in (run / "output.log").read_text()
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("continued: ") == 2
    for run in runs:
        assert len((run / "metrics.jsonl").read_text().splitlines()) == 20
    row = read_table(tmp_path)["test.ami"]
    assert (row["seeds"], row["setting"]) == ("0 1", "rnn-em, updates 20")


def test_runs_stop_when_the_time_is_up_and_go_on(tmp_path, environment, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("PYTHONPATH", "OMP_NUM_THREADS", "PYRO_NEM_CACHE"):
        monkeypatch.setenv(name, environment[name])
    axes = {"--scale": ("smoke",), "--updates": ("30",), "--seed": ("0", "1")}
    points = expand("static_shapes", axes, "cpu", "test")
    options = SweepOptions("static_shapes", threads=1)
    first, second = (point.directory for point in points)
    outcomes = run_points(points, options, time_is_up=first.metrics.exists)
    assert [outcome.state for outcome in outcomes] == ["interrupted"]
    assert first.last.exists()
    assert not second.path.exists()
    done = len(first.read_metrics())
    assert done < 30
    outcomes = run_points(points[:1], options)
    assert [outcome.state for outcome in outcomes] == ["finished"]
    assert re.search(rf"update +{done + 1}/30", first.log.read_text())
    assert len(first.read_metrics()) == 30
