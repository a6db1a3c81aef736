import re

import pytest
from matplotlib.figure import Figure
from PIL import Image

from pyro_nem.errors import ConfigError, StorageError
from pyro_nem.plots import learning_curves, save_figure


def small_figure():
    figure = Figure(figsize=(2, 1), dpi=50)
    figure.add_subplot()
    return figure


@pytest.mark.parametrize(("dpi", "size"), [(None, (100, 50)), (80, (160, 80))])
def test_a_png_of_the_asked_resolution_replaces_an_earlier_file(tmp_path, dpi, size):
    path = tmp_path / "figure.png"
    path.write_bytes(b"old")
    figure = small_figure()
    save_figure(figure, path, dpi=dpi)
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.size == size
    assert list(tmp_path.iterdir()) == [path]
    assert not figure.axes


def test_a_failure_halfway_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / "figure.png"
    path.write_bytes(b"old")

    def fill_disk(self, name, **options):
        name.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", fill_disk)
    with pytest.raises(StorageError, match=re.escape(str(path))):
        save_figure(small_figure(), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "missing" / "figure.png"
    with pytest.raises(StorageError, match=re.escape(str(path))):
        save_figure(small_figure(), path)


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"path: expected a name that ends in \.png"):
        save_figure(small_figure(), tmp_path / "figure.jpg")


def test_learning_curves_can_be_saved(tmp_path):
    save_figure(learning_curves([{"update": 1, "train.loss": 1.0}]), tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 0
