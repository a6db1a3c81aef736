"""``images.sweep`` at smoke scale, its runs one after the other in this process."""

import json

import pytest

from experiments import collect
from experiments.images import sweep
from experiments.processes import Outcome
from experiments.run import main
from experiments.sweeping import run_points

pytestmark = pytest.mark.usefixtures("no_report", "digits")

COMMAND = ["--scale", "smoke", "--latent-sizes", "2", "3", "--device", "cpu"]


@pytest.fixture
def at_once(tmp_path, monkeypatch):
    """Stand for the processes, which would not know these digits; return how many were to run."""
    asked = []

    def run_jobs(jobs, at_once, *, should_stop, started, ended, stopping):
        asked.append(at_once)
        for job in jobs:
            command = job.prepare(0)
            started(job, command)
            code = main(command[3:])
            ended(Outcome(job.name, "failed" if code else "finished"))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_points, "run_jobs", run_jobs)
    return asked


def read(folder, name):
    return json.loads((folder / name).read_text())


def test_optimisers_are_compared_by_one_command(at_once, tmp_path, capsys):
    assert sweep.main(COMMAND) == 0
    names = {path.name for path in (tmp_path / "runs" / "tables").iterdir()}
    # experiments.sweep vae_mnist writes vae_mnist.md and so on there.
    assert names == {f"vae_mnist_sizes.{suffix}" for suffix in ("md", "csv", "json", "png")}
    rows = read(tmp_path, "runs/tables/vae_mnist_sizes.json")["rows"]
    assert {row["setting"] for row in rows} == {
        f"dynamic-elbo-latent-size{size}{optimizer}"
        for size in (2, 3)
        for optimizer in ("", "-adagrad")
    }
    assert {row["metric"] for row in rows} == {
        f"test.{name}" for name in ("nll_elbo", "kl", "nll_iwae_3", "nll_iwae_20", "active_z_1")
    }
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/vae_mnist/*/*.json")}
    capsys.readouterr()
    assert sweep.main([*COMMAND, "--seeds", "2"]) == 0
    printed = capsys.readouterr().out
    assert [printed.count(f"-seed{seed}\n") for seed in (0, 1)] == [4, 8]
    assert printed.count("started: ") == 4
    assert all(path.stat().st_mtime_ns == changed for path, changed in before.items())
    runs = sorted(map(str, tmp_path.glob("runs/vae_mnist/*")))
    assert len(runs) == 8
    assert collect.main([*runs, "--output", "again"]) == 0
    again = read(tmp_path, "again/vae_mnist.json")["rows"]
    both = {(row["setting"], row["metric"]): row["values"] for row in again}
    table = read(tmp_path, "runs/tables/vae_mnist_sizes.json")["rows"]
    assert both == {(row["setting"], row["metric"]): row["values"] for row in table}
    assert all(row["seeds"] == [0, 1] for row in again)
    assert collect.main([runs[0], runs[0]]) == 2
    assert "is there twice" in capsys.readouterr().err


def test_a_run_with_other_settings_is_not_taken_for_one_of_the_grid(at_once, tmp_path, capsys):
    folder = "runs/vae_mnist/smoke-dynamic-elbo-latent-size2-seed0"
    other = ["vae_mnist", "--scale", "smoke", "--device", "cpu", "--run-dir", folder]
    assert main(other) == 0
    assert sweep.main([*COMMAND, "--optimizers", "adam", "--jobs", "3"]) == 1
    assert at_once == [3]
    printed = capsys.readouterr()
    assert "holds a run with latent-size (4,) instead of (2,)" in printed.out
    assert f"failed: {folder}\n" in printed.err
    assert (tmp_path / folder.replace("size2", "size3") / "summary.json").exists()
    assert not (tmp_path / "runs" / "tables").exists()


def test_the_same_size_twice_is_refused(capsys):
    assert sweep.main([*COMMAND, "--latent-sizes", "2", "2"]) == 2
    assert "two runs of the grid would share the folder" in capsys.readouterr().err
    assert sweep.main([*COMMAND, "--seeds", "0"]) == 2
    assert "--seeds: expected at least 1, got 0" in capsys.readouterr().err
