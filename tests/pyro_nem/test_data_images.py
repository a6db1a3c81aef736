"""Images as bits: drawn anew for each update, or once and for all."""

import hashlib
import io
from itertools import islice

import numpy as np
import pytest
import small_mnist
import torch
from scipy.io import savemat
from small_images import images
from small_mnist import needs_fixed, needs_mnist

from pyro_nem.data import ImageSet, Share, binary_mnist, bit_batches
from pyro_nem.data.mnist_bits import BINARIZED_FILES
from pyro_nem.errors import ConfigError, DataError


def take(count, source=None, **options):
    source = images(10) if source is None else source
    options = {"batch_size": 4, "seed": 3, **options}
    return list(islice(bit_batches(source, **options), count))


def test_bits_have_their_grey_levels_as_probabilities():
    levels = np.array([[[0, 51, 128, 255]]], np.uint8).repeat(4000, 0)
    source = ImageSet("strip", levels)
    for drawn in (
        take(1, source, batch_size=4000)[0],
        source.binarised(0).probabilities(slice(None)),
    ):
        assert set(drawn.unique().tolist()) == {0.0, 1.0}
        mean = drawn.mean(0)
        assert mean[0] == 0.0
        assert mean[3] == 1.0
        assert mean[1].item() == pytest.approx(0.2, abs=0.03)
        assert mean[2].item() == pytest.approx(128 / 255, abs=0.04)
    torch.testing.assert_close(source.mean(), torch.tensor([0.0, 0.2, 128 / 255, 1.0]))
    assert set(np.unique(source.binarised(0).levels)) == {0, 255}


def test_an_image_has_other_bits_each_time_unless_it_is_of_bits_already():
    grey = ImageSet("grey", np.full((8, 5, 5), 128, np.uint8))
    # Two updates of an epoch and one of the next.
    drawn = torch.cat(take(3, grey))
    assert len(drawn.unique(dim=0)) == len(drawn) == 12
    fixed = images(4).binarised(1)
    rows = [sorted(batch.tolist()) for batch in take(3, fixed)]
    assert rows[0] == rows[1] == rows[2]


def test_batches_are_functions_of_seed_and_update():
    whole = take(7)
    for a, b in zip(whole[5:], take(2, start=5), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(whole[0], take(1, seed=4)[0])
    halves = [take(7, share=Share(index, 2)) for index in (0, 1)]
    for batch, *parts in zip(whole, *halves, strict=True):
        assert torch.equal(batch, torch.cat(parts))


def test_order_and_bits_share_no_random_stream(monkeypatch):
    source, keys, default_rng = images(10), [], np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda key: keys.append(key) or default_rng(key))
    take(5, source)
    streams = {tuple(np.random.SeedSequence(key).generate_state(4)) for key in keys}
    # Three epochs of two batches.
    assert len(keys) == len(streams) == 3 + 5


def test_an_epoch_shows_every_image_once_in_another_order():
    levels = np.zeros((12, 1, 12), np.uint8)
    levels[np.arange(12), 0, np.arange(12)] = 255
    seen = torch.stack([batch.argmax(1) for batch in take(6, ImageSet("numbered", levels))])
    first, second = seen[:3].flatten().tolist(), seen[3:].flatten().tolist()
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second


def test_fixed_bits_and_order_depend_on_their_seed_alone():
    source = images(50)
    assert np.array_equal(source.binarised(1).levels, source.binarised(1).levels)
    assert (source.binarised(1).levels != source.binarised(2).levels).any()
    shuffled = source.shuffled(1)
    assert np.array_equal(shuffled.levels, source.shuffled(1).levels)
    assert not np.array_equal(shuffled.levels, source.levels)
    assert sorted(shuffled.levels.sum((1, 2))) == sorted(source.levels.sum((1, 2)))
    assert len(source.first(7)) == 7
    assert source.shape == (2, 3)


def test_what_is_no_image_is_refused():
    for levels in (np.zeros((2, 3), np.uint8), np.zeros((0, 2, 2), np.uint8), np.zeros((1, 2, 2))):
        with pytest.raises(DataError, match=r"expected uint8 \[images, rows, columns\]"):
            ImageSet("these", levels)
    with pytest.raises(ConfigError, match="10 images, fewer than one batch of 11"):
        take(1, batch_size=11)
    with pytest.raises(ConfigError, match="start: expected at least 0"):
        take(1, start=-1)


def test_mnist_is_split_and_held_out_bits_stay_the_same(tmp_path, monkeypatch):
    sets = small_mnist.put(tmp_path, monkeypatch)
    found = binary_mnist()
    assert [len(part) for part in found] == [30, 10, 10]
    assert np.array_equal(found.training.levels, sets["train"][:30])
    for part, source in ((found.validation, sets["train"][30:]), (found.test, sets["t10k"])):
        assert set(np.unique(part.levels)) == {0, 255}
        # Bits are black where a digit is, whatever the order.
        assert sorted((part.levels > 0).any((1, 2))) == sorted((source > 0).any((1, 2)))
        assert part.levels.mean() == pytest.approx(source.mean(), rel=0.05)
    assert np.array_equal(binary_mnist().test.levels, found.test.levels)


def put_files(folder, monkeypatch, **changes):
    """Write 5, 3 and 4 images of bits and let them be the published ones."""
    (folder / "binarized_mnist").mkdir()
    made = {}
    for part, count in (("train", 5), ("valid", 3), ("test", 4)):
        bits = np.random.default_rng(count).integers(0, 2, (count, 784), np.uint8)
        made[part] = changes.get(part, bits)
        file = io.BytesIO()
        savemat(file, {"X": made[part]})
        published = BINARIZED_FILES[part]
        (folder / "binarized_mnist" / published.name).write_bytes(file.getvalue())
        sha256 = hashlib.sha256(file.getvalue()).hexdigest()
        monkeypatch.setitem(BINARIZED_FILES, part, published._replace(sha256=sha256))
    monkeypatch.setenv("PYRO_NEM_DATA", str(folder))
    return made


def test_the_fixed_files_are_read(tmp_path, monkeypatch):
    made = put_files(tmp_path, monkeypatch)
    found = binary_mnist("fixed")
    assert np.array_equal(found.training.levels.reshape(5, 784), made["train"] * np.uint8(255))
    for part, name in ((found.validation, "valid"), (found.test, "test")):
        rows = (part.levels.reshape(len(part), 784) // 255).tolist()
        assert sorted(rows) == sorted(made[name].tolist())
        assert rows != made[name].tolist()


@pytest.mark.parametrize("bits", [np.full((4, 784), 2, np.uint8), np.zeros((4, 100), np.uint8)])
def test_a_file_of_something_else_is_refused(tmp_path, monkeypatch, bits):
    put_files(tmp_path, monkeypatch, test=bits)
    with pytest.raises(DataError, match=r"test\.amat: expected the entry 'X', \[images, 784\]"):
        binary_mnist("fixed")


@needs_mnist
@needs_fixed
def test_the_real_files_are_the_published_ones():
    fixed, dynamic = binary_mnist("fixed"), binary_mnist("dynamic")
    for found in (fixed, dynamic):
        assert [len(part) for part in found] == [50_000, 10_000, 10_000]
        # 13 % of the pixels are ink, and a tenth of a shuffled set is a sample of it.
        inks = [part.first(1000).mean().mean().item() for part in found]
        assert inks == pytest.approx([0.131] * 3, abs=0.004)
