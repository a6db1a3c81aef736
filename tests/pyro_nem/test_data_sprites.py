"""Sprites are painted from the back to the front, and the groups say which one is seen."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from pyro_nem.data import (
    SILHOUETTES,
    SPLITS,
    HDF5Frames,
    SpriteScene,
    SpritesConfig,
    draw_sprites,
    generate_sprites,
    read_batch,
    render_sprites,
    sprites_file,
)
from pyro_nem.errors import ConfigError

SMALL = SpritesConfig(objects=2, most_objects=4, frames=8, training=20, validation=5, test=5)
KINDS = list(SILHOUETTES)


def inside(kind, down, right):
    """The outlines in words of their own, for one point."""
    match kind:
        case "square":
            return abs(down) <= 0.85 and abs(right) <= 0.85
        case "disk":
            return np.hypot(down, right) <= 1
        case "triangle":
            return -1 <= down <= 0.8 and abs(right) <= (1 + down) / 1.8
        case "diamond":
            return abs(down + right) <= 1 and abs(down - right) <= 1
        case "cross":
            bars = (abs(down), abs(right))
            return max(bars) <= 1 and min(bars) <= 0.35
    raise AssertionError(kind)


def paint(config, scene, sequence):
    """Draw one sequence with plain loops; returns features and groups."""
    features = np.zeros((config.frames, config.rows, config.columns, 3), np.uint8)
    groups = np.zeros((config.frames, config.rows, config.columns, 1), np.uint8)
    for frame in range(config.frames):
        for sprite in np.flatnonzero(scene.radii[sequence]):
            radius = scene.radii[sequence, sprite]
            centre = []
            for axis, side in enumerate((config.rows, config.columns)):
                room = side - 2 * radius
                line = scene.starts[sequence, sprite, axis] - radius
                line = (line + frame * scene.velocities[sequence, sprite, axis]) % (2 * room)
                centre.append(radius + min(line, 2 * room - line))
            kind = KINDS[scene.kinds[sequence, sprite]]
            for row in range(config.rows):
                for column in range(config.columns):
                    point = (np.array([row, column]) + 0.5 - centre) / radius
                    if inside(kind, *point):
                        features[frame, row, column] = scene.colours[sequence, sprite]
                        groups[frame, row, column] = sprite + 1
    return features, groups


@pytest.mark.parametrize("sides", [(64, 64), (24, 40)])
def test_frames_and_groups_follow_the_motion(sides):
    config = replace(SMALL, frames=4, rows=sides[0], columns=sides[1])
    scene = draw_sprites(config, 6, np.random.default_rng(1))
    # Fast enough to turn around at a border.
    scene = scene._replace(velocities=scene.velocities * 6)
    block = render_sprites(config, scene)
    assert block.features.shape == (4, 6, *sides, 3)
    assert block.groups.shape == (4, 6, *sides, 1)
    assert block.features.dtype == block.groups.dtype == np.uint8
    for sequence in range(6):
        features, groups = paint(config, scene, sequence)
        # Rounding may move an edge by a hair.
        differ = (block.groups[:, sequence] != groups).sum()
        assert differ <= 2
        assert (block.features[:, sequence] != features).any(-1).sum() <= differ


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_the_later_sprite_is_in_front(kind):
    still = np.zeros((1, 2, 2))
    scene = SpriteScene(
        kinds=np.array([[kind, kind]]),
        colours=np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8),
        radii=np.full((1, 2), 6.0),
        starts=np.array([[[20.0, 20.0], [20.0, 23.0]]]),
        velocities=still,
    )
    block = render_sprites(replace(SMALL, frames=1), scene)
    groups = block.groups[0, 0, ..., 0]
    assert groups[20, 21] == 2
    swapped = render_sprites(
        replace(SMALL, frames=1), scene._replace(starts=scene.starts[:, ::-1])
    ).groups[0, 0, ..., 0]
    # The front one is whole, and as large as the other is where that one is in front.
    assert (groups == 2).sum() == (swapped == 2).sum() > (groups == 1).sum() > 0
    np.testing.assert_array_equal(groups > 0, swapped > 0)


def test_the_colours_are_those_of_the_groups():
    config = replace(SMALL, objects=6, most_objects=None)
    scene = draw_sprites(config, 50, np.random.default_rng(0))
    block = render_sprites(config, scene)
    for sequence in range(50):
        palette = np.concatenate([np.zeros((1, 3), np.uint8), scene.colours[sequence]])
        shown = palette[block.groups[:, sequence, ..., 0]]
        np.testing.assert_array_equal(block.features[:, sequence], shown)
    np.testing.assert_array_equal(block.groups[..., 0] == 0, (block.features == 0).all(-1))


def test_draws_are_what_they_should_be():
    config = SpritesConfig()
    scene = draw_sprites(config, 4000, np.random.default_rng(0))
    present = scene.radii > 0
    count = present.sum(1)
    for number in (3, 4, 5, 6):
        assert np.mean(count == number) == pytest.approx(1 / 4, abs=0.03)
    assert present[:, :3].all()
    radii, velocities = scene.radii[present], scene.velocities[present]
    assert (radii.min(), radii.max()) == pytest.approx((5.12, 8.96), abs=0.01)
    assert (velocities.min(), velocities.max()) == pytest.approx((-1.92, 1.92), abs=0.01)
    for kind in range(len(KINDS)):
        assert np.mean(scene.kinds == kind) == pytest.approx(1 / len(KINDS), abs=0.02)
    assert (scene.colours.max(-1) == 255).all()
    assert (scene.colours == 255).mean((0, 1)) == pytest.approx([1 / 3] * 3, abs=0.02)
    centres, room = scene.starts[present], radii[:, None]
    assert (centres >= room).all()
    assert (centres <= 64 - room).all()


def test_same_seed_same_data_and_each_split_its_own():
    def first(config, split="training"):
        return next(generate_sprites(config, split)).features

    np.testing.assert_array_equal(first(SMALL), first(SMALL))
    assert not np.array_equal(first(SMALL), first(replace(SMALL, seed=8)))
    a, b, c = (first(SMALL, split)[:, :5] for split in SPLITS)
    assert not np.array_equal(a, b)
    assert not np.array_equal(b, c)


def test_fewer_sequences_or_frames_are_the_beginning_of_more():
    config = replace(SMALL, frames=3)
    large = list(generate_sprites(replace(config, training=140), "training"))
    assert [block.features.shape[1] for block in large] == [128, 12]
    small = next(generate_sprites(replace(config, training=50, frames=2), "training"))
    for before, after in zip(small[:2], large[0][:2], strict=True):
        np.testing.assert_array_equal(before, after[:2, :50])
    assert not np.array_equal(large[0].features[:, :12], large[1].features)


def test_the_file_says_how_it_was_made(tmp_path, monkeypatch):
    monkeypatch.setenv("PYRO_NEM_CACHE", str(tmp_path))
    path = sprites_file(SMALL, report=str)
    assert path.name.startswith("sprites-2-4-objects-8-frames-64x64-20-5-5-seed-0-")
    with h5py.File(path) as file:
        assert file.attrs["generator"] == "sprites"
        assert (file.attrs["objects"], file.attrs["most_objects"]) == (2, 4)
        assert file["test/features"].dtype == np.uint8
    made = next(generate_sprites(SMALL, "validation"))
    with HDF5Frames(path, "validation") as source:
        batch = read_batch(source, 0, 5, frames=8)
    np.testing.assert_array_equal(batch.frames, made.features / np.float32(255))
    np.testing.assert_array_equal(batch.groups, made.groups[..., 0])
    other = sprites_file(replace(SMALL, most_objects=None), report=str)
    assert other.name.startswith("sprites-2-objects-8-frames")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("objects", 0), ("objects", 256), ("most_objects", 2), ("most_objects", 256),
        ("frames", 0), ("rows", 15), ("columns", 15), ("training", 0), ("seed", -1),
    ],
)  # fmt: skip
def test_a_config_that_cannot_work_names_its_field(field, value):
    with pytest.raises(ConfigError, match=rf"SpritesConfig\.{field}: .*got {value}"):
        SpritesConfig(**{"most_objects": None if field == "objects" else 6, field: value})


def test_unknown_split_is_refused_at_the_call():
    with pytest.raises(ConfigError, match=r"split.*'train'"):
        generate_sprites(SMALL, "train")
