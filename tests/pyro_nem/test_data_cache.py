"""Generated files are made once, found again, and never mixed up."""

import os
import queue
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import h5py
import numpy as np
import platformdirs
import pytest
import small_mnist
from filelock import FileLock

from pyro_nem.data import (
    BallsConfig,
    DigitsConfig,
    HDF5Frames,
    ShapesConfig,
    balls_file,
    cache_dir,
    digits_file,
    generate_balls,
    generate_digits,
    generate_shapes,
    mnist,
    read_batch,
    shapes_file,
    write_frames,
)
from pyro_nem.data import cache as cache_module
from pyro_nem.errors import ConfigError, DataError, StorageError

DIGITS = DigitsConfig(variations=3, frames=3, training=30, validation=4, test=5, seed=3)
SMALL = ShapesConfig(objects=2, frames=3, training=30, validation=4, test=5, seed=3)
BALLS = BallsConfig(
    objects=2, frames=3, rows=16, columns=20, training=30, validation=4, test=5, seed=3
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PYRO_NEM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def refuse(*_):
    raise AssertionError("generated again")


def test_cache_dir_is_the_variable_or_the_users(folder, monkeypatch):
    assert cache_dir() == folder
    monkeypatch.delenv("PYRO_NEM_CACHE")
    assert cache_dir() == Path(platformdirs.user_cache_dir("pyro_nem"))


def test_a_file_is_made_once_and_found_again(folder, monkeypatch):
    lines = []
    path = shapes_file(SMALL, report=lines.append)
    assert len(lines) == 2
    assert str(path) in lines[0]
    assert os.listdir(folder) == [path.name]
    monkeypatch.setattr(cache_module, "write_frames", refuse)
    assert shapes_file(SMALL, report=refuse) == path


def test_the_file_holds_what_was_generated():
    path = shapes_file(SMALL, report=lambda _: None)
    for split, count in (("training", 30), ("validation", 4), ("test", 5)):
        made = next(generate_shapes(SMALL, split))
        with HDF5Frames(path, split) as source:
            features, groups = source.read(0, count)
            assert source.num_sequences == count
        np.testing.assert_array_equal(features, made.features)
        np.testing.assert_array_equal(groups, made.groups)
    with h5py.File(path) as file:
        assert file.attrs["seed"] == 3
        assert file.attrs["objects"] == 2
        assert file.attrs["generator"] == "shapes"
        assert file.attrs["format_version"] == 1


def test_a_file_of_balls_holds_what_was_generated():
    path = balls_file(BALLS, report=str)
    assert path.name.startswith("balls-2-objects-3-frames-16x20-30-4-5-seed-3-")
    for split, count in (("training", 30), ("validation", 4), ("test", 5)):
        made = next(generate_balls(BALLS, split))
        with HDF5Frames(path, split) as source:
            features, groups = source.read(0, count)
            np.testing.assert_array_equal(source.read_collisions(0, count), made.collisions)
        np.testing.assert_array_equal(features, made.features)
        np.testing.assert_array_equal(groups, made.groups)
    with h5py.File(path) as file:
        assert file.attrs["generator"] == "balls"
        assert file.attrs["objects"] == 2
        assert not file.attrs["curtain"]
        assert "most_objects" not in file.attrs


def test_a_file_of_balls_is_found_again_and_each_configuration_has_its_own(monkeypatch):
    lines = []
    others = [replace(BALLS, **{field: getattr(BALLS, field) + 1}) for field in vars(SMALL)]
    configs = [
        BALLS,
        replace(BALLS, curtain=True),
        replace(BALLS, most_objects=2),
        replace(BALLS, most_objects=3, curtain=True),
        *others,
    ]
    paths = [balls_file(config, report=lines.append) for config in configs]
    assert len(set(paths)) == len(configs)
    assert "39 sequences of 2-3 balls behind a curtain, 3 frames each" in lines[6]
    assert paths[3].name.startswith("balls-2-3-objects-curtain-3-frames")
    monkeypatch.setattr(cache_module, "write_frames", refuse)
    assert [balls_file(config, report=refuse) for config in configs] == paths


def test_a_file_of_digits_holds_intensities_and_says_how_they_were_made(tmp_path, monkeypatch):
    small_mnist.put(tmp_path / "data", monkeypatch)
    lines = []
    path = digits_file(DIGITS, report=lines.append)
    assert path.name.startswith("digits-2-objects-of-3-3-frames-24x24-30-4-5-seed-3-")
    assert "39 sequences of 2 digits of 3, 3 frames each" in lines[0]
    for split, count in (("training", 30), ("validation", 4), ("test", 5)):
        made = next(generate_digits(DIGITS, split))
        with HDF5Frames(path, split) as source:
            batch = read_batch(source, 0, count, frames=3)
        np.testing.assert_array_equal(batch.frames, made.features / np.float32(255))
        np.testing.assert_array_equal(batch.groups, made.groups[..., 0])
    with h5py.File(path) as file:
        assert file["training/features"].dtype == np.uint8
        expected = {"generator": "digits", "format_version": 1}
        assert dict(file.attrs) == {**asdict(DIGITS), **expected}
    assert digits_file(DIGITS, report=refuse) == path


def test_each_configuration_of_digits_has_its_own_file(tmp_path, monkeypatch):
    small_mnist.put(tmp_path / "data", monkeypatch)
    others = [replace(DIGITS, **{field: 2 * value}) for field, value in vars(DIGITS).items()]
    configs = [DIGITS, replace(DIGITS, variations=None), *others]
    assert len({digits_file(config, report=str) for config in configs}) == len(configs)


def test_without_mnist_there_is_no_file_of_digits(folder, monkeypatch):
    monkeypatch.delenv("PYRO_NEM_DATA", raising=False)
    monkeypatch.setattr(mnist, "_MIRRORS", ("http://127.0.0.1:9",))
    with pytest.raises(DataError, match="cannot download the images of MNIST"):
        digits_file(DIGITS, report=str)
    assert os.listdir(folder) == []


def test_balls_that_do_not_fit_leave_no_file(folder):
    with pytest.raises(ConfigError, match="do not fit"):
        balls_file(replace(BALLS, objects=60), report=str)
    assert os.listdir(folder) == []


def test_it_prints_by_default(capsys):
    shapes_file(SMALL)
    assert "Generating 39 sequences of 2 shapes" in capsys.readouterr().out


@pytest.mark.parametrize("field", list(vars(SMALL)))
def test_every_parameter_is_part_of_the_name(field):
    other = replace(SMALL, **{field: getattr(SMALL, field) + 1})
    assert shapes_file(SMALL, report=str) != shapes_file(other, report=str)


def test_another_format_version_is_another_file(monkeypatch):
    first = shapes_file(SMALL, report=str)
    monkeypatch.setattr(cache_module, "FORMAT_VERSION", 2)
    assert shapes_file(SMALL, report=str) != first


def test_a_file_with_other_attributes_is_refused():
    path = shapes_file(SMALL, report=str)
    with h5py.File(path, "a") as file:
        file.attrs["seed"] = 99
    with pytest.raises(DataError, match=r"attribute 'seed' to be 3, found 99; delete") as caught:
        shapes_file(SMALL)
    assert str(path) in str(caught.value)


def test_a_damaged_file_is_refused_and_not_replaced():
    path = shapes_file(SMALL, report=str)
    path.write_bytes(b"rubbish")
    with pytest.raises(DataError, match=r"no readable HDF5 file.*delete"):
        shapes_file(SMALL)
    assert path.read_bytes() == b"rubbish"


def test_a_cache_that_cannot_be_made_names_the_variable(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PYRO_NEM_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(StorageError, match="PYRO_NEM_CACHE"):
        shapes_file(SMALL, report=str)


def test_a_file_that_another_process_makes_is_waited_for(folder, monkeypatch):
    path = shapes_file(SMALL, report=str)
    made = path.read_bytes()
    path.unlink()
    waiting = queue.Queue()
    monkeypatch.setattr(cache_module, "write_frames", refuse)
    with ThreadPoolExecutor(1) as pool, FileLock(folder / f".{path.stem}.lock"):
        found = pool.submit(shapes_file, SMALL, waiting.put)
        assert waiting.get(timeout=20) == f"Waiting for another process that generates {path}"
        path.write_bytes(made)
    assert found.result() == path
    assert os.listdir(folder) == [path.name]


def test_of_racing_callers_one_generates_and_all_find_a_whole_file(folder, monkeypatch):
    written = []
    monkeypatch.setattr(
        cache_module, "write_frames", lambda *a: (written.append(a), write_frames(*a))
    )
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(lambda _: shapes_file(SMALL, report=str), range(8)))
    assert len(paths) == 1
    assert os.listdir(folder) == [paths.pop().name]
    assert len(written) == 1
    shapes_file(SMALL, report=refuse)
