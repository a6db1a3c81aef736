import re

import numpy as np
import pytest
from PIL import Image
from plot_samples import make_sample

from pyro_nem.errors import ConfigError, StorageError
from pyro_nem.plots import (
    SegmentationSample,
    colour_groups,
    component_colours,
    segmentation_gif,
)


def read_gif(path):
    with Image.open(path) as gif:
        frames, durations = [], []
        for t in range(gif.n_frames):
            gif.seek(t)
            frames.append(np.asarray(gif.convert("RGB")))
            durations.append(gif.info["duration"])
        return np.stack(frames), durations, gif.info.get("loop")


@pytest.mark.parametrize("groups", [True, False])
@pytest.mark.parametrize("num_samples", [1, 3])
def test_one_frame_a_step_of_the_expected_size(tmp_path, groups, num_samples):
    samples = [make_sample(groups=groups, seed=seed) for seed in range(num_samples)]
    path = tmp_path / "a.gif"
    segmentation_gif(samples, path, frames_per_second=5, scale=8)
    frames, durations, loop = read_gif(path)
    tiles = 5 + groups
    # Margins of 8, borders of 3 around each tile, gaps of 5, a line of 18 above and below.
    width = 16 + tiles * (8 * 6 + 6) + (tiles - 1) * 5
    height = 16 + 36 + num_samples * (8 * 5 + 6) + (num_samples - 1) * 5
    assert frames.shape == (3, height, width, 3)
    assert durations == [200, 200, 800]
    assert loop == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_show_the_arrays(tmp_path, channels):
    # Few distinct values, so that the palette holds all of them exactly.
    generator = np.random.default_rng(0)
    ids = generator.integers(2, size=(3, 5, 6))
    gamma = np.moveaxis(np.eye(2)[ids], -1, 1)
    sample = SegmentationSample(
        inputs=generator.integers(2, size=(3, 5, 6, channels)),
        targets=generator.integers(2, size=(3, 5, 6, channels)),
        psi=generator.integers(-1, 3, size=(3, 2, 5, 6, channels)),
        gamma=gamma,
        gamma_init=gamma[0],
        groups=ids + 1,
    )
    path = tmp_path / "a.gif"
    segmentation_gif(sample, path, scale=4)
    frames, _, _ = read_gif(path)
    colours = component_colours(2)
    expected = [
        sample.inputs,
        sample.targets,
        colours[ids],
        colour_groups(sample.groups, gamma),
        sample.psi[:, 0],
        sample.psi[:, 1],
    ]
    top = 8 + 18 + 3
    for index, values in enumerate(expected):
        left = 8 + 3 + index * (4 * 6 + 6 + 5)
        tile = frames[:, top : top + 20, left : left + 24]
        wanted = np.broadcast_to(values.clip(0, 1), (3, 5, 6, 3)).repeat(4, 1).repeat(4, 2) * 255
        assert np.abs(tile - wanted).max() <= 2
        if index >= 4:
            assert np.abs(frames[:, top - 1, left - 3] - colours[index - 4] * 255).max() <= 2


def test_steps_that_look_alike_are_frames_of_their_own(tmp_path):
    still = make_sample(num_steps=1)
    repeated = SegmentationSample(
        **{
            name: getattr(still, name).repeat(4, 0)
            for name in ("inputs", "targets", "psi", "gamma", "groups")
        },
        gamma_init=still.gamma_init,
    )
    segmentation_gif(repeated, tmp_path / "a.gif")
    assert len(read_gif(tmp_path / "a.gif")[0]) == 4


@pytest.mark.parametrize("size", [(1, 1), (28, 28)])
def test_one_step_and_one_component(tmp_path, size):
    segmentation_gif(make_sample(1, 1, *size, channels=3), tmp_path / "a.gif", scale=1)
    assert len(read_gif(tmp_path / "a.gif")[0]) == 1


def test_an_earlier_file_is_replaced_and_nothing_else_left(tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(b"old")
    segmentation_gif(make_sample(), path)
    assert path.read_bytes().startswith(b"GIF89a")
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "missing" / "a.gif"
    with pytest.raises(StorageError, match=re.escape(str(path))):
        segmentation_gif(make_sample(), path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames_per_second": 0}, "frames_per_second: expected above 0 and at most 50, got 0"),
        ({"frames_per_second": 51}, "frames_per_second"),
        ({"scale": 0}, "scale: expected at least 1, got 0"),
        ({"sample": []}, "sample: expected at least one"),
        ({"sample": [make_sample(), make_sample(2)]}, "one shape in all samples"),
        ({"sample": [make_sample(), make_sample(groups=False)]}, "in all samples or in none"),
        ({"colours": np.ones((3, 3))}, "colours: expected shape"),
    ],
)
def test_what_makes_no_picture_is_refused(tmp_path, arguments, message):
    with pytest.raises(ConfigError, match=message):
        segmentation_gif(**{"sample": make_sample(), "path": tmp_path / "a.gif", **arguments})
    assert not list(tmp_path.iterdir())


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"path: expected a name that ends in \.gif"):
        segmentation_gif(make_sample(), tmp_path / "a.png")


def test_frames_can_have_their_own_labels(tmp_path):
    one = make_sample(num_steps=2)
    segmentation_gif(one, tmp_path / "plain.gif")
    segmentation_gif(one, tmp_path / "same.gif", labels=["step 1 / 2", "step 2 / 2"])
    segmentation_gif(one, tmp_path / "other.gif", labels=["seen 1 / 1", "predicted 1 / 1"])
    plain, same, other = ((tmp_path / f"{n}.gif").read_bytes() for n in ("plain", "same", "other"))
    assert plain == same != other
    with pytest.raises(ConfigError, match="labels: expected 2, one a step, got 1"):
        segmentation_gif(one, tmp_path / "bad.gif", labels=["one"])
