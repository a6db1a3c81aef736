"""Frames, labels and collisions are what the recorded motion says, pixel for pixel."""

from dataclasses import replace

import numpy as np
import pytest

from pyro_nem.data import (
    SPLITS,
    Balls,
    BallScene,
    BallsConfig,
    draw_balls,
    generate_balls,
    render_balls,
    simulate_balls,
)
from pyro_nem.errors import ConfigError

SMALL = BallsConfig(objects=3, frames=12, training=20, validation=5, test=5, seed=7)


def paint(config, scene, sequence):
    """Draw one sequence with plain loops; returns three arrays [T, rows, columns]."""
    motion = simulate_balls(scene.balls, config.frames, (config.rows, config.columns))
    groups = np.zeros((config.frames, config.rows, config.columns), int)
    collisions = np.zeros_like(groups)
    row = np.arange(config.rows)[:, None] + 0.5
    column = np.arange(config.columns) + 0.5
    for frame in range(config.frames):
        for ball, radius in enumerate(scene.balls.radii[sequence]):
            if radius == 0:
                continue
            top, left = motion.positions[frame, sequence, ball]
            disk = (row - top) ** 2 + (column - left) ** 2 <= radius**2
            assert not groups[frame][disk].any()
            groups[frame][disk] = ball + 1
            collisions[frame][disk] = motion.collided[frame, sequence, ball]
    top, bottom, left, right = scene.curtains[sequence]
    groups[:, top:bottom, left:right] = 0
    collisions[:, top:bottom, left:right] = 0
    return groups > 0, groups, collisions


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"objects": 1, "rows": 16, "columns": 40},
        {"objects": 2, "most_objects": 5, "rows": 80},
        {"curtain": True},
    ],
)
def test_frames_groups_and_collisions_follow_the_motion(changes):
    config = replace(SMALL, frames=30, **changes)
    scene = draw_balls(config, 10, np.random.default_rng(1))
    block = render_balls(config, scene)
    shape = (30, 10, config.rows, config.columns, 1)
    for array in block:
        assert array.shape == shape
        assert array.dtype == np.uint8
    for sequence in range(10):
        for found, expected in zip(block, paint(config, scene, sequence), strict=True):
            np.testing.assert_array_equal(found[:, sequence, ..., 0], expected)
    assert block.collisions.any() == (config.objects > 1)


def test_collisions_are_the_balls_that_met_since_the_frame_before():
    # 1 and 2 touch at t = 1.4, see test_data_ball_physics.py; 3 bounces off a wall alone.
    config = BallsConfig(objects=3, frames=4)
    balls = Balls(
        np.array([[1.0, 2.0, 3.0]]),
        np.array([[[50.0, 10.0], [50.0, 20.0], [4.0, 40.0]]]),
        np.array([[[0.0, 3.0], [0.0, -2.0], [-1.0, 0.0]]]),
    )
    block = render_balls(config, BallScene(balls, np.zeros((1, 4), np.int64)))
    assert block.collisions.any((1, 2, 3, 4)).tolist() == [False, False, True, False]
    np.testing.assert_array_equal(block.collisions[2] == 1, np.isin(block.groups[2], (1, 2)))


def test_a_pixel_of_two_balls_belongs_to_none():
    # Balls never overlap, but a scene of one frame can be made of any.
    config = BallsConfig(objects=2, frames=1)
    balls = Balls(np.full((1, 2), 4.0), np.array([[[9.0, 9.0], [9.0, 13.0]]]), np.zeros((1, 2, 2)))
    block = render_balls(config, BallScene(balls, np.zeros((1, 4), np.int64)))
    groups, features = block.groups[0, 0, ..., 0], block.features[0, 0, ..., 0]
    assert features[9, 11] == 1
    assert groups[9, [6, 11, 15]].tolist() == [1, 0, 2]
    assert (groups > 0).sum() < features.sum()


def test_draws_are_what_they_should_be():
    config = BallsConfig(objects=6, most_objects=8)
    balls, curtains = draw_balls(config, 4000, np.random.default_rng(0))
    present = balls.radii > 0
    count = present.sum(1)
    for number in (6, 7, 8):
        assert np.mean(count == number) == pytest.approx(1 / 3, abs=0.03)
    assert present[:, :6].all()
    assert not balls.velocities[~present].any()
    radii, velocities = balls.radii[present], balls.velocities[present]
    assert (radii.min(), radii.max()) == pytest.approx((4.8, 8.0), abs=0.01)
    assert (velocities.min(), velocities.max()) == pytest.approx((-3.2, 3.2), abs=0.01)
    assert np.abs(velocities.mean(0)).max() < 0.05
    assert not curtains.any()


def test_balls_start_inside_and_apart():
    config = BallsConfig(objects=5, most_objects=8, rows=72)
    balls = draw_balls(config, 500, np.random.default_rng(0)).balls
    present = (balls.radii > 0)[..., None]
    radii = balls.radii[..., None]
    assert (balls.positions >= radii)[np.broadcast_to(present, (500, 8, 2))].all()
    assert (balls.positions <= np.array([72, 64]) - radii).all()
    first, second = np.triu_indices(8, 1)
    d = balls.positions[:, first] - balls.positions[:, second]
    apart = np.hypot(d[..., 0], d[..., 1]) >= balls.radii[:, first] + balls.radii[:, second]
    assert apart[balls.radii[:, second] > 0].all()


def test_a_curtain_hides_and_changes_nothing_else():
    bare = next(generate_balls(replace(SMALL, training=60), "training"))
    config = replace(SMALL, training=60, curtain=True)
    hidden = next(generate_balls(config, "training"))
    some = 0
    for sequence in range(60):
        same = np.ones((64, 64), bool)
        for before, after in zip(bare, hidden, strict=True):
            same &= (before[:, sequence, ..., 0] == after[:, sequence, ..., 0]).all(0)
        some += not same.all()
        # What differs lies in a rectangle in which nothing is ever seen.
        rows, columns = np.nonzero(~same)
        if rows.size:
            box = np.s_[:, sequence, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            assert not any(array[box].any() for array in hidden)
    assert some > 50


def test_curtains_are_rectangles_of_random_size_and_place():
    config = BallsConfig(objects=1, curtain=True, rows=32)
    curtains = draw_balls(config, 3000, np.random.default_rng(0)).curtains
    top, bottom, left, right = curtains.T
    for low, high, side in ((top, bottom, 32), (left, right, 64)):
        assert (low.min(), high.max()) == (0, side)
        assert ((high - low).min(), (high - low).max()) == (side // 4, side // 2)
        assert np.mean(low + high) / 2 == pytest.approx(side / 2, abs=1)


def test_same_seed_same_data_and_each_split_its_own():
    def first(config, split="training"):
        return next(generate_balls(config, split)).features

    np.testing.assert_array_equal(first(SMALL), first(SMALL))
    assert not np.array_equal(first(SMALL), first(replace(SMALL, seed=8)))
    a, b, c = (first(SMALL, split)[:, :5] for split in SPLITS)
    assert not np.array_equal(a, b)
    assert not np.array_equal(b, c)


def test_a_smaller_split_is_the_beginning_of_a_larger_one():
    config = replace(SMALL, frames=3, most_objects=5, curtain=True)
    large = list(generate_balls(replace(config, training=300), "training"))
    assert [block.features.shape[1] for block in large] == [128, 128, 44]
    small = list(generate_balls(replace(config, training=140), "training"))
    for key in range(3):
        joined = np.concatenate([block[key] for block in large], axis=1)
        np.testing.assert_array_equal(
            np.concatenate([block[key] for block in small], axis=1), joined[:, :140]
        )
    assert not np.array_equal(large[0].features, large[1].features)


def test_more_frames_continue_the_same_sequences():
    short, long = (next(generate_balls(replace(SMALL, frames=t), "test")) for t in (5, 12))
    for before, after in zip(short, long, strict=True):
        np.testing.assert_array_equal(before, after[:5])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("objects", 0),
        ("objects", 256),
        ("most_objects", 3),
        ("most_objects", 256),
        ("frames", 0),
        ("rows", 15),
        ("columns", 15),
        ("training", 0),
        ("validation", 0),
        ("test", 0),
        ("seed", -1),
    ],
)
def test_a_config_that_cannot_work_names_its_field(field, value):
    with pytest.raises(ConfigError, match=rf"BallsConfig\.{field}: .*got {value}"):
        BallsConfig(**{field: value})


def test_too_many_balls_for_the_image_are_refused():
    config = replace(SMALL, objects=3, most_objects=60)
    with pytest.raises(ConfigError, match=r"60 balls do not fit into 64x64 pixels.*fewer balls"):
        next(generate_balls(config, "test"))


def test_unknown_split_is_refused_at_the_call():
    with pytest.raises(ConfigError, match=r"split.*'train'"):
        generate_balls(SMALL, "train")
