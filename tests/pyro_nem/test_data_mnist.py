"""The files of MNIST are found, downloaded and checked."""

import gzip

import numpy as np
import pytest
import requests
import small_mnist
from answers import answer
from small_mnist import NAMES, needs_mnist

from pyro_nem.data import mnist, mnist_images
from pyro_nem.errors import DataError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PYRO_NEM_CACHE", str(tmp_path / "cache"))
    answer(monkeypatch)
    return tmp_path


@pytest.fixture
def digits(folder, monkeypatch):
    return small_mnist.put(folder / "data", monkeypatch)


def refuse(line):
    raise AssertionError("downloaded")


@pytest.mark.parametrize("part", ["train", "t10k"])
def test_images_are_those_of_the_file(digits, part):
    found = mnist_images(part, report=refuse)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, digits[part])


def test_a_file_in_the_cache_is_found_too(digits, folder, monkeypatch):
    (folder / "cache").mkdir()
    (folder / "data" / "mnist").rename(folder / "cache" / "mnist")
    np.testing.assert_array_equal(mnist_images("t10k", report=refuse), digits["t10k"])
    monkeypatch.delenv("PYRO_NEM_DATA")
    np.testing.assert_array_equal(mnist_images("t10k", report=refuse), digits["t10k"])


def test_a_missing_file_is_downloaded_once(digits, folder, monkeypatch):
    packed = (folder / "data" / "mnist" / NAMES["train"]).read_bytes()
    monkeypatch.delenv("PYRO_NEM_DATA")
    asked, lines = answer(monkeypatch, packed), []
    np.testing.assert_array_equal(mnist_images("train", lines.append), digits["train"])
    assert asked == [f"{mnist._MIRRORS[0]}/{NAMES['train']}"]
    assert asked[0] in lines[0]
    assert [p.name for p in (folder / "cache" / "mnist").iterdir()] == [NAMES["train"]]
    np.testing.assert_array_equal(mnist_images("train", report=refuse), digits["train"])
    assert len(asked) == 1


@pytest.mark.parametrize(
    "failure",
    [
        requests.exceptions.ConnectionError("no route to host"),
        requests.exceptions.ReadTimeout("timed out"),
        requests.exceptions.ChunkedEncodingError("cut short"),
        gzip.compress(b"another file", mtime=0),
        b"<html>log in to this network</html>",
    ],
)
def test_another_mirror_is_asked_where_one_fails(digits, folder, monkeypatch, failure):
    packed = (folder / "data" / "mnist" / NAMES["t10k"]).read_bytes()
    monkeypatch.delenv("PYRO_NEM_DATA")
    asked = answer(monkeypatch, failure, packed)
    np.testing.assert_array_equal(mnist_images("t10k", str), digits["t10k"])
    assert asked == [f"{mirror}/{NAMES['t10k']}" for mirror in mnist._MIRRORS]


def test_what_a_server_has_decompressed_is_taken(digits, folder, monkeypatch):
    packed = (folder / "data" / "mnist" / NAMES["t10k"]).read_bytes()
    monkeypatch.delenv("PYRO_NEM_DATA")
    answer(monkeypatch, gzip.decompress(packed))
    for _ in range(2):
        np.testing.assert_array_equal(mnist_images("t10k", str), digits["t10k"])


def test_without_a_network_the_error_says_where_to_put_the_file(folder, monkeypatch):
    monkeypatch.delenv("PYRO_NEM_DATA", raising=False)
    answer(monkeypatch, *[requests.exceptions.ConnectionError("no route to host")] * 2)
    with pytest.raises(
        DataError, match=r"cannot download the images of MNIST .*no route to host"
    ) as caught:
        mnist_images("t10k", str)
    place = folder / "cache" / "mnist"
    assert f"get {NAMES['t10k']} by hand and put it into {place}" in str(caught.value)
    assert "PYRO_NEM_DATA" in str(caught.value)
    assert not place.exists()


def test_a_download_of_something_else_is_refused_and_not_kept(folder, monkeypatch):
    monkeypatch.delenv("PYRO_NEM_DATA", raising=False)
    answer(monkeypatch, *[gzip.compress(b"another file")] * 2)
    with pytest.raises(DataError, match=r"decompressed SHA-256 is ba891046.*found"):
        mnist_images("train", str)
    assert not (folder / "cache" / "mnist").exists()


def test_a_damaged_file_is_refused_and_not_replaced(digits, folder):
    path = folder / "data" / "mnist" / NAMES["train"]
    whole = path.read_bytes()
    for content, message in (
        (whole[: len(whole) // 2], "expected a gzip file, but it is damaged"),
        (b"rubbish", "decompressed SHA-256"),
        (gzip.compress(gzip.decompress(whole)[:-1] + b"x"), "decompressed SHA-256"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=message) as caught:
            mnist_images("train")
        assert str(path) in str(caught.value)
        assert "delete it" in str(caught.value)
        assert path.read_bytes() == content


@needs_mnist
def test_the_real_files_are_the_published_ones():
    assert mnist_images("train").shape == (60_000, 28, 28)
    assert mnist_images("t10k").shape == (10_000, 28, 28)
    assert mnist_images("train")[0].sum() == 27_525
