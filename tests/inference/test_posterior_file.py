"""posterior.nc is written whole or not at all, and ArviZ reads it."""

import importlib
import os
import subprocess
import sys
import warnings
from pathlib import Path

import arviz_stats
import h5py
import numpy as np
import pytest
import small_run
import xarray as xr

from inference.diagnostics import diagnose, k_hat, read_posterior, write_posterior
from pyro_nem import files
from pyro_nem.data import ArrayFrames, frames_sha256
from pyro_nem.errors import DataError, StorageError

GROUPS = {"posterior", "posterior_predictive", "log_likelihood", "sample_stats"}
GROUPS |= {"observed_data", "constant_data"}


@pytest.fixture(scope="module")
def tree():
    return diagnose(
        *small_run.build(), small_run.frames(3), restarts=2, draws=50, shown_sequences=2
    )


@pytest.fixture(scope="module")
def path(tree, tmp_path_factory):
    path = tmp_path_factory.mktemp("posterior") / "posterior.nc"
    write_posterior(tree, path)
    return path


def test_what_was_written_is_read(tree, path):
    found = read_posterior(path)
    assert found.identical(tree)
    assert found.attrs == tree.attrs
    assert k_hat(found).unknown == 3


def test_a_file_says_what_it_describes(tmp_path):
    features = np.zeros((3, 2, 8, 8, 1), np.uint8)
    source = ArrayFrames(features, name=str(tmp_path / "mine.h5"))
    found = diagnose(*small_run.build(), source, restarts=1, draws=2, seed=7).attrs
    assert found.pop("data_sha256") == frames_sha256(source, 3, 2)
    assert found.pop("prior_predictive").startswith("none: UniformPrior")
    named = {"data": "mine.h5", "model": "SpatialMixture", "guide": "RNNEM", "seed": 7}
    # Nothing of the folder, which is that of one machine.
    assert found == {**named, "stochastic": 0, "labels": 0}


def test_equal_draws_take_next_to_no_space(tree, path):
    pixels = tree["log_likelihood/pixel"]
    with h5py.File(path) as file:
        assert file["log_likelihood/pixel"].id.get_storage_size() < pixels.nbytes / 10


def test_arviz_of_today_opens_it(path):
    """InferenceData in ArviZ 0, a DataTree in ArviZ 1."""
    with warnings.catch_warnings():
        # ArviZ 0.23 announces ArviZ 1 when it is imported.
        warnings.simplefilter("ignore", FutureWarning)
        arviz = importlib.import_module("arviz")
    found = arviz.from_netcdf(path)
    groups = found.groups() if callable(found.groups) else found.children
    assert set(groups) == GROUPS
    summary = arviz.summary(found, var_names=["co_assignment"], kind="stats")
    assert len(summary) == 3 * 32
    assert found["posterior_predictive"]["x"].dims[2:] == found["observed_data"]["x"].dims


def test_the_packages_of_arviz_1_take_the_tree(path):
    found = read_posterior(path)
    summary = arviz_stats.summary(found, var_names=["co_assignment"], kind="stats")
    assert len(summary) == 3 * 32
    together = found["posterior/co_assignment"].astype(float)
    assert arviz_stats.ess(together).dims == ("sequence", "pair")


@pytest.mark.skipif(
    "PYRO_NEM_ARVIZ_1" not in os.environ,
    reason="PYRO_NEM_ARVIZ_1 names no Python that has ArviZ 1, h5netcdf and h5py",
)
def test_arviz_1_opens_it_in_a_second_environment(path):
    program = """
import sys
import arviz
assert int(arviz.__version__.split(".")[0]) >= 1, arviz.__version__
tree = arviz.from_netcdf(sys.argv[1])
summary = arviz.summary(tree, var_names=["co_assignment"], kind="stats")
print(type(tree).__name__, *sorted(tree.children), len(summary))
"""
    done = subprocess.run(
        [os.environ["PYRO_NEM_ARVIZ_1"], "-c", program, str(path)],
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.split() == ["DataTree", *sorted(GROUPS), "96"], done.stderr


def test_a_full_disk_leaves_the_earlier_file(tree, path, tmp_path, monkeypatch):
    earlier = tmp_path / "posterior.nc"
    write_posterior(tree, earlier)
    before = earlier.read_bytes()

    def full(self, data):
        with self.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match=r"posterior\.nc: .*No space left on device"):
        write_posterior(tree, earlier)
    assert os.listdir(tmp_path) == ["posterior.nc"]
    assert earlier.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_the_process_survives_writes_that_the_system_refuses(path, tmp_path):
    program = """
import resource, sys
from pathlib import Path
from inference.diagnostics import read_posterior, write_posterior
from pyro_nem.errors import StorageError
tree = read_posterior(Path(sys.argv[1]))
for limit in (10, 1_000, 30_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write_posterior(tree, Path(sys.argv[2]))
    except StorageError as error:
        print("refused:", error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), str(tmp_path / "posterior.nc")],
        env={**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("refused: cannot write") == 3
    assert os.listdir(tmp_path) == []


def test_what_is_no_posterior_is_explained(path, tmp_path):
    missing = tmp_path / "posterior.nc"
    with pytest.raises(DataError, match="expected the posterior of a run, found no file"):
        read_posterior(missing)
    missing.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DataError, match="damaged or no NetCDF 4 file"):
        read_posterior(missing)
    missing.write_text("no")
    with pytest.raises(DataError, match="damaged or no NetCDF 4 file"):
        read_posterior(missing)
    other = tmp_path / "other.nc"
    xr.DataTree.from_dict({"a": xr.Dataset({"x": ("n", np.zeros(2))})}).to_netcdf(
        other, engine="h5netcdf"
    )
    with pytest.raises(DataError, match=r"expected the group sample_stats .* found a"):
        read_posterior(other)
