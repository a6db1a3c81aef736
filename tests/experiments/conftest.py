"""Commands, and a run that several tests of them need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from smoke_commands import ROOT, SMOKE, start


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """One cache for all commands and one thread each, so that tests can run side by side."""
    cache = tmp_path_factory.mktemp("cache")
    return {**os.environ, "PYRO_NEM_CACHE": str(cache), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def command(environment):
    def run(program, *arguments, expect=0):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", f"experiments.{program}", *map(str, arguments)],
            cwd=ROOT,
            env=environment,
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
