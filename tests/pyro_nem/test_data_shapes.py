"""Frames and labels are what the recorded trajectory says, pixel for pixel."""

from dataclasses import replace

import numpy as np
import pytest

from pyro_nem.data import (
    BITMAPS,
    SPLITS,
    Scene,
    ShapesConfig,
    draw_scene,
    generate_shapes,
    render,
)
from pyro_nem.errors import ConfigError

SMALL = ShapesConfig(objects=3, frames=6, training=20, validation=5, test=5, seed=7)


def walk(start, velocity, room, frames):
    """The bounce, one frame at a time: turn around on touching the border, then move."""
    position, path = start, [start]
    for _ in range(frames - 1):
        if position == 0:
            velocity = abs(velocity)
        elif position == room:
            velocity = -abs(velocity)
        position += velocity
        path.append(position)
    return path


def paint(config, scene, sequence):
    """Draw one sequence with plain loops; returns features and groups, [T, rows, columns]."""
    count = np.zeros((config.frames, config.rows, config.columns), int)
    groups = np.zeros_like(count)
    for index in range(config.objects):
        bitmap = BITMAPS[scene.kinds[sequence, index]]
        room = (config.rows - bitmap.shape[0], config.columns - bitmap.shape[1])
        start, velocity = scene.starts[sequence, index], scene.velocities[sequence, index]
        paths = [walk(start[axis], velocity[axis], room[axis], config.frames) for axis in (0, 1)]
        for frame, (top, left) in enumerate(zip(*paths, strict=True)):
            for row, column in zip(*np.nonzero(bitmap), strict=True):
                count[frame, top + row, left + column] += 1
                groups[frame, top + row, left + column] = index + 1
    groups[count > 1] = 0
    return count > 0, groups


def test_bitmaps_are_those_of_the_predecessor():
    square, triangle, inverted = BITMAPS
    assert [int(bitmap.sum()) for bitmap in BITMAPS] == [40, 48, 48]
    assert square.shape == (7, 7)
    assert not square[2:5, 2:5].any()
    assert triangle.shape == (7, 12)
    assert triangle.sum(1).tolist() == [2, 4, 6, 6, 6, 12, 12]
    assert np.flatnonzero(triangle[3]).tolist() == [2, 3, 4, 7, 8, 9]
    assert np.array_equal(inverted, triangle[::-1])
    assert not square.flags.writeable


@pytest.mark.parametrize("objects", [1, 3, 5])
def test_frames_and_groups_follow_the_scene(objects):
    config = replace(SMALL, objects=objects, frames=40)
    scene = draw_scene(config, 12, np.random.default_rng(objects))
    block = render(config, scene)
    assert block.features.shape == block.groups.shape == (40, 12, 28, 28, 1)
    assert block.features.dtype == block.groups.dtype == np.uint8
    for sequence in range(12):
        features, groups = paint(config, scene, sequence)
        np.testing.assert_array_equal(block.features[:, sequence, ..., 0], features)
        np.testing.assert_array_equal(block.groups[:, sequence, ..., 0], groups)


def test_a_square_turns_around_at_the_border():
    config = ShapesConfig(objects=1, frames=5)
    scene = Scene(np.zeros((1, 1), int), np.array([[[19, 1]]]), np.array([[[1, -1]]]))
    features = render(config, scene).features[:, 0, ..., 0]
    assert [int(np.nonzero(frame)[0].min()) for frame in features] == [19, 20, 21, 20, 19]
    assert [int(np.nonzero(frame)[1].min()) for frame in features] == [1, 0, 1, 2, 3]


def test_overlap_belongs_to_no_group():
    config = ShapesConfig(objects=2, frames=1)
    still = np.zeros((1, 2, 2), int)
    block = render(config, Scene(np.zeros((1, 2), int), np.array([[[0, 0], [0, 5]]]), still))
    groups = block.groups[0, 0, ..., 0]
    assert set(np.unique(groups)) == {0, 1, 2}
    assert not groups[:7, 5:7].any()
    assert block.features[0, 0, :7, 5:7].all()
    assert (groups == 1).sum() == (groups == 2).sum() == 40 - 14


def test_an_object_as_wide_as_the_image_stays():
    config = ShapesConfig(objects=1, frames=4, rows=7, columns=12)
    scene = Scene(np.ones((1, 1), int), np.zeros((1, 1, 2), int), np.ones((1, 1, 2), int))
    features = render(config, scene).features[..., 0]
    assert (features == BITMAPS[1]).all()


def test_draws_are_uniform_over_what_they_should_be():
    config = ShapesConfig(objects=2)
    scene = draw_scene(config, 20_000, np.random.default_rng(0))
    for kind, bitmap in enumerate(BITMAPS):
        assert np.mean(scene.kinds == kind) == pytest.approx(1 / 3, abs=0.01)
        starts = scene.starts[scene.kinds == kind]
        assert starts.min(0).tolist() == [0, 0]
        assert starts.max(0).tolist() == [28 - bitmap.shape[0], 28 - bitmap.shape[1]]
    for velocity in (-1, 0, 1):
        assert np.mean(scene.velocities == velocity) == pytest.approx(1 / 3, abs=0.01)


def test_foreground_and_scored_fractions_are_those_measured_before():
    block = next(generate_shapes(replace(SMALL, frames=1, training=512), "training"))
    assert block.features.mean() == pytest.approx(0.160, abs=0.005)
    assert (block.groups > 0).sum() / 512 == pytest.approx(115, abs=3)


def test_same_seed_same_data_and_each_split_its_own():
    def first(config, split="training"):
        return next(generate_shapes(config, split)).features

    np.testing.assert_array_equal(first(SMALL), first(SMALL))
    assert not np.array_equal(first(SMALL), first(replace(SMALL, seed=8)))
    a, b, c = (first(SMALL, split)[:, :5] for split in SPLITS)
    assert not np.array_equal(a, b)
    assert not np.array_equal(b, c)


def test_a_smaller_split_is_the_beginning_of_a_larger_one():
    config = replace(SMALL, frames=2)
    large = list(generate_shapes(replace(config, training=1100), "training"))
    assert [block.features.shape[1] for block in large] == [512, 512, 76]
    small = list(generate_shapes(replace(config, training=600), "training"))
    for key in (0, 1):
        joined = np.concatenate([block[key] for block in large], axis=1)
        np.testing.assert_array_equal(
            np.concatenate([block[key] for block in small], axis=1), joined[:, :600]
        )
    assert not np.array_equal(large[0].features, large[1].features)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("objects", 0),
        ("objects", 256),
        ("frames", 0),
        ("rows", 6),
        ("columns", 11),
        ("training", 0),
        ("validation", 0),
        ("test", 0),
        ("seed", -1),
    ],
)
def test_a_config_that_cannot_work_names_its_field(field, value):
    with pytest.raises(ConfigError, match=rf"ShapesConfig\.{field}: .*got {value}"):
        ShapesConfig(**{field: value})


def test_unknown_split_is_refused_at_the_call():
    with pytest.raises(ConfigError, match=r"split.*'train'"):
        generate_shapes(SMALL, "train")
