"""Commands, and a run that several tests of them need."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import small_mnist
import small_rolls
import small_speech
from smoke_commands import ROOT, SMOKE, start
from table_runner import Runner

from experiments import table
from experiments.images import run as images_run
from experiments.run import main
from experiments.sequences import run as sequences_run

LATENT_RUNS = {
    "speech": (small_speech, ("speech",)),
    "iwae_mnist": (small_mnist, ("iwae_mnist", "--layers", "2")),
    "rnn": (small_rolls, ("chorales", "--model", "rnn")),
}


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """One cache for all commands and one thread each, so that tests can run side by side."""
    cache = tmp_path_factory.mktemp("cache")
    return {**os.environ, "PYRO_NEM_CACHE": str(cache), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def command(environment):
    def run(program, *arguments, expect=0, **variables):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", f"experiments.{program}", *map(str, arguments)],
            cwd=ROOT,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        if expect == 2:
            assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture(scope="session")
def smoke_run(environment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "flying"
    start(environment, "run", *SMOKE, "--run-dir", folder).communicate(timeout=120)
    return folder


@pytest.fixture(scope="session")
def smoke_file(environment, smoke_run):
    """The frames that ``smoke_run`` generated."""
    (file,) = Path(environment["PYRO_NEM_CACHE"]).glob("shapes-3-objects-21-*-64-64-64-*.h5")
    return file


@pytest.fixture(scope="session")
def latent_runs(tmp_path_factory):
    """Return a function from a name to the folder of a run on sequences or images, on stand-ins."""
    folder = tmp_path_factory.mktemp("latent")

    def run(name):
        data, options = LATENT_RUNS[name]
        if not (folder / name).exists():
            with pytest.MonkeyPatch.context() as patch:
                data.put(folder / f"{name}-data", patch)
                words = ["--scale", "smoke", "--device", "cpu", "--run-dir", str(folder / name)]
                assert main([*options, *words]) == 0
        return folder / name

    return run


@pytest.fixture
def digits(tmp_path, monkeypatch):
    """A few digits in the place of MNIST."""
    small_mnist.put(tmp_path / "data", monkeypatch)


@pytest.fixture
def no_report(monkeypatch):
    """Let runs on sequences and images end without posterior and report, which takes seconds."""
    for module in (sequences_run, images_run):
        monkeypatch.setattr(module, "save_posterior", lambda *_, **__: 0)
        monkeypatch.setattr(module, "write_report", lambda *_: None)


@pytest.fixture
def runner(smoke_run, environment, tmp_path, monkeypatch):
    """Tables whose trainings are copies of one run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYRO_NEM_CACHE", environment["PYRO_NEM_CACHE"])
    template = tmp_path / "template"
    shutil.copytree(smoke_run, template, ignore=shutil.ignore_patterns("evaluations", "rollouts"))
    runner = Runner(template)
    monkeypatch.setattr(table, "run_points", runner)
    return runner
