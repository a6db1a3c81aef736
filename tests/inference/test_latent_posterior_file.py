"""posterior.nc of sequences and images, as ArviZ reads it."""

import importlib
import os
import subprocess
import warnings

import arviz_stats
import pytest
import small_images
import small_sequences

from inference.diagnostics import read_posterior, write_posterior
from inference.images import ImageObjective, diagnose_images
from inference.sequences import SequenceObjective, diagnose_sequences

KINDS = {"sequences": ("z", 2 * 5 * 2), "images": ("z_1", 3 * 2)}
"""Kind -> its latents, and how many there are."""
GROUPS = {"posterior", "posterior_predictive", "prior_predictive", "log_likelihood"}
GROUPS |= {"sample_stats", "observed_data"}


@pytest.fixture(scope="module")
def trees():
    # Of equal lengths, as summaries of NaN are NaN.
    sequences = SequenceObjective(*small_sequences.build())
    images = ImageObjective(*small_images.build())
    return {
        "sequences": diagnose_sequences(
            sequences, small_sequences.rolls((5, 5)), draws=10, kept_draws=5
        ),
        "images": diagnose_images(
            images, small_images.images(3).binarised(0), draws=10, kept_draws=5
        ),
    }


@pytest.fixture(scope="module")
def paths(trees, tmp_path_factory):
    folder = tmp_path_factory.mktemp("posteriors")
    for name, tree in trees.items():
        write_posterior(tree, folder / f"{name}.nc")
    return {name: folder / f"{name}.nc" for name in trees}


def groups(kind):
    return GROUPS | ({"constant_data"} if kind == "sequences" else set())


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_written_is_read(trees, paths, kind):
    found = read_posterior(paths[kind])
    assert found.identical(trees[kind])
    assert found.attrs == trees[kind].attrs
    name, number = KINDS[kind]
    assert len(arviz_stats.summary(found, var_names=[name], kind="stats")) == number


@pytest.mark.parametrize("kind", KINDS)
def test_arviz_of_today_opens_it(paths, kind):
    with warnings.catch_warnings():
        # ArviZ 0.23 announces ArviZ 1 when it is imported.
        warnings.simplefilter("ignore", FutureWarning)
        arviz = importlib.import_module("arviz")
    found = arviz.from_netcdf(paths[kind])
    names = found.groups() if callable(found.groups) else found.children
    assert set(names) == groups(kind)
    name, number = KINDS[kind]
    assert len(arviz.summary(found, var_names=[name], kind="stats")) == number
    assert found["posterior_predictive"]["x"].dims[2:] == found["observed_data"]["x"].dims


@pytest.mark.skipif(
    "PYRO_NEM_ARVIZ_1" not in os.environ,
    reason="PYRO_NEM_ARVIZ_1 names no Python that has ArviZ 1, h5netcdf and h5py",
)
def test_arviz_1_opens_them_in_a_second_environment(paths):
    program = """
import sys
import arviz
assert int(arviz.__version__.split(".")[0]) >= 1, arviz.__version__
for path, name in zip(sys.argv[1::2], sys.argv[2::2]):
    tree = arviz.from_netcdf(path)
    summary = arviz.summary(tree, var_names=[name], kind="stats")
    print(type(tree).__name__, *sorted(tree.children), len(summary))
"""
    arguments = [str(part) for kind, (name, _) in KINDS.items() for part in (paths[kind], name)]
    done = subprocess.run(
        [os.environ["PYRO_NEM_ARVIZ_1"], "-c", program, *arguments],
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    expected = [["DataTree", *sorted(groups(k)), str(KINDS[k][1])] for k in KINDS]
    assert [line.split() for line in done.stdout.splitlines()] == expected, done.stderr
