"""Frames and labels of digits are what the recorded trajectory says, pixel for pixel."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import small_mnist
from small_mnist import TRAINING, needs_mnist

from pyro_nem.data import (
    SPLITS,
    DigitBitmaps,
    DigitScene,
    DigitsConfig,
    bounce,
    digit_bitmaps,
    draw_digits,
    generate_digits,
    render_digits,
)
from pyro_nem.errors import ConfigError

SMALL = DigitsConfig(objects=3, frames=6, training=20, validation=5, test=5, seed=7)


@pytest.fixture
def digits(tmp_path, monkeypatch):
    return small_mnist.put(tmp_path / "data", monkeypatch)


def paint(config, bitmaps, scene, sequence):
    """Draw one sequence with plain loops; returns features and groups, [T, rows, columns]."""
    features = np.zeros((config.frames, config.rows, config.columns), int)
    count, groups = np.zeros_like(features), np.zeros_like(features)
    kinds = scene.kinds[sequence]
    room = np.array([config.rows, config.columns]) - bitmaps.sizes[kinds]
    path = bounce(scene.starts[sequence], scene.velocities[sequence], room, config.frames)
    for index, kind in enumerate(kinds):
        for row, column in np.ndindex(*bitmaps.sizes[kind]):
            level = int(bitmaps.levels[kind, row, column])
            for frame, corners in enumerate(path[:, 0]):
                place = (frame, corners[index, 0] + row, corners[index, 1] + column)
                features[place] = max(features[place], level)
                if level >= config.visible:
                    count[place] += 1
                    groups[place] = index + 1
    groups[count > 1] = 0
    return features, groups


@pytest.mark.parametrize(
    "changes",
    [{}, {"objects": 1, "frames": 1}, {"rows": 17, "columns": 30, "fastest": 3, "visible": 200}],
)
def test_frames_and_groups_follow_the_scene(digits, changes):
    config = replace(SMALL, **{"frames": 25, **changes})
    bitmaps = digit_bitmaps("training")
    scene = draw_digits(config, bitmaps, 8, np.random.default_rng(1))
    block = render_digits(config, bitmaps, scene)
    assert block.features.shape == (config.frames, 8, config.rows, config.columns, 1)
    assert block.features.shape == block.groups.shape
    assert block.features.dtype == block.groups.dtype == np.uint8
    for sequence in range(8):
        features, groups = paint(config, bitmaps, scene, sequence)
        np.testing.assert_array_equal(block.features[:, sequence, ..., 0], features)
        np.testing.assert_array_equal(block.groups[:, sequence, ..., 0], groups)
    assert (block.groups == 0).any()
    assert len(np.unique(block.groups)) == config.objects + 1


def test_where_two_digits_meet_the_brighter_is_seen_and_none_is_scored():
    levels = np.array([[[200, 0], [100, 30]], [[90, 64], [63, 250]]], np.uint8)
    bitmaps = DigitBitmaps(levels, np.full((2, 2), 2))
    config = DigitsConfig(frames=1)
    zeros = np.zeros((1, 2, 2), np.int64)
    block = render_digits(config, bitmaps, DigitScene(np.array([[0, 1]]), zeros, zeros))
    assert block.features[0, 0, :2, :2, 0].tolist() == [[200, 64], [100, 250]]
    assert block.groups[0, 0, :2, :2, 0].tolist() == [[0, 2], [1, 2]]
    assert block.features.sum() == 614


@pytest.mark.parametrize("reduction", [1, 2, 4])
def test_digits_are_reduced_and_cropped(digits, reduction):
    found = digit_bitmaps("test", reduction=reduction)
    side = 28 // reduction
    assert found.levels.shape == (10, side, side)
    for levels, size, image in zip(*found, digits["t10k"], strict=True):
        small = np.zeros((side, side), int)
        for row, column in np.ndindex(side, side):
            top, left = row * reduction, column * reduction
            square = image[top : top + reduction, left : left + reduction]
            small[row, column] = round(square.mean())
        rows, columns = np.nonzero(small)
        box = small[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert tuple(size) == box.shape
        np.testing.assert_array_equal(levels[: size[0], : size[1]], box)
        assert levels.sum() == box.sum()


def test_no_digit_is_in_two_splits_and_only_training_has_variations(digits):
    few = {split: digit_bitmaps(split, variations=4).levels for split in SPLITS}
    every = {split: digit_bitmaps(split).levels for split in SPLITS}
    assert [len(few[split]) for split in SPLITS] == [4, 10, 10]
    assert [len(every[split]) for split in SPLITS] == [TRAINING, 10, 10]
    np.testing.assert_array_equal(few["training"], every["training"][:4])
    for split in ("validation", "test"):
        np.testing.assert_array_equal(few[split], every[split])
    known = [levels.tobytes() for split in SPLITS for levels in every[split]]
    assert len(set(known)) == len(known) == TRAINING + 20


def test_draws_are_what_they_should_be(digits):
    config = DigitsConfig(fastest=2)
    bitmaps = digit_bitmaps("training", variations=5)
    scene = draw_digits(config, bitmaps, 4000, np.random.default_rng(0))
    for values, expected in ((scene.kinds, range(5)), (scene.velocities, range(-2, 3))):
        found, count = np.unique(values, return_counts=True)
        assert found.tolist() == list(expected)
        assert count / values.size == pytest.approx(0.2, abs=0.02)
    for kind in range(5):
        starts = scene.starts[scene.kinds == kind]
        room = 24 - bitmaps.sizes[kind]
        assert starts.min(0).tolist() == [0, 0]
        assert starts.max(0).tolist() == room.tolist()
        assert starts.mean(0) == pytest.approx(room / 2, abs=0.6)


def test_same_seed_same_data_and_each_split_its_own(digits):
    def first(config, split="training"):
        return next(generate_digits(config, split)).features

    np.testing.assert_array_equal(first(SMALL), first(SMALL))
    assert not np.array_equal(first(SMALL), first(replace(SMALL, seed=8)))
    assert not np.array_equal(first(SMALL), first(replace(SMALL, variations=3)))
    np.testing.assert_array_equal(first(SMALL, "test"), first(replace(SMALL, variations=3), "test"))


def test_a_smaller_split_is_the_beginning_of_a_larger_one(digits):
    config = replace(SMALL, frames=2)
    large = list(generate_digits(replace(config, training=1100), "training"))
    assert [block.features.shape[1] for block in large] == [512, 512, 76]
    small = list(generate_digits(replace(config, training=600), "training"))
    for key in range(2):
        joined = np.concatenate([block[key] for block in large], axis=1)
        np.testing.assert_array_equal(
            np.concatenate([block[key] for block in small], axis=1), joined[:, :600]
        )
    assert not np.array_equal(large[0].features, large[1].features)


@pytest.mark.parametrize("frames", [1, 51])
def test_more_frames_continue_the_same_sequences(digits, frames):
    other, usual = (next(generate_digits(replace(SMALL, frames=t), "test")) for t in (frames, 21))
    shared = min(frames, 21)
    for key in range(2):
        np.testing.assert_array_equal(other[key][:shared], usual[key][:shared])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("objects", 0), ("objects", 256), ("variations", 0), ("variations", 50_001), ("frames", 0),
        ("rows", 13), ("columns", 13), ("reduction", 0), ("reduction", 3), ("fastest", -1),
        ("visible", 0), ("visible", 256), ("training", 0), ("validation", 0), ("test", 0),
        ("seed", -1),
    ],
)  # fmt: skip
def test_a_config_that_cannot_work_names_its_field(field, value):
    with pytest.raises(ConfigError, match=rf"DigitsConfig\.{field}: .*got {value}"):
        DigitsConfig(**{field: value})


def test_unknown_split_is_refused_at_the_call():
    with pytest.raises(ConfigError, match=r"split.*'train'"):
        generate_digits(SMALL, "train")


@needs_mnist
def test_the_real_digits_fit_and_the_data_are_the_same_on_every_machine():
    for split, count in zip(SPLITS, (50_000, 10_000, 10_000), strict=True):
        sizes = digit_bitmaps(split).sizes
        assert len(sizes) == count
        assert sizes.max(0).tolist() == [11, 11]
    block = next(generate_digits(DigitsConfig(test=512), "test"))
    assert (block.features > 0).mean() == pytest.approx(0.163, abs=0.01)
    assert (block.groups > 0).mean() * 576 == pytest.approx(64, abs=2)
    digest = hashlib.sha256(block.features.tobytes() + block.groups.tobytes()).hexdigest()
    assert digest == "aee0a17f5bc7b3d356e7bf028ff1da48905058fb661b73ddbcec90762b187d02"
