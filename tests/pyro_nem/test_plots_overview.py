import dataclasses
import re

import numpy as np
import pytest
from plot_samples import make_sample

from pyro_nem.errors import ConfigError
from pyro_nem.plots import (
    colour_groups,
    component_colours,
    hue_colours,
    mix_colours,
    overview_figure,
)


def images(axes):
    return [np.asarray(image.get_array()) for image in axes.get_images()]


def words(figure):
    return [text.get_text() for text in figure.texts]


def shown(frames):
    return frames.clip(0, 1).squeeze(-1) if frames.shape[-1] == 1 else frames.clip(0, 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("groups", [True, False])
def test_rows_hold_the_right_images_in_the_right_order(channels, groups):
    sample = make_sample(channels=channels, groups=groups)
    figure = overview_figure(sample)
    rows = [images(axes) for axes in figure.axes]
    assert len(rows) == 6 + groups
    expected = [sample.targets, sample.reconstruction, mix_colours(sample.gamma)]
    if groups:
        expected.append(colour_groups(sample.groups, sample.gamma))
    expected += [sample.psi[:, 0], sample.psi[:, 1], sample.inputs]
    # Only the assignment exists before the first step.
    np.testing.assert_allclose(rows[2].pop(0), mix_colours(sample.gamma_init))
    for row, frames in zip(rows, expected, strict=True):
        np.testing.assert_allclose(np.stack(row), shown(frames))


def test_reconstruction_is_the_mean_of_the_mixture():
    sample = make_sample(channels=3)
    by_hand = sum(sample.gamma[:, k, ..., None] * sample.psi[:, k] for k in range(2))
    np.testing.assert_allclose(sample.reconstruction, by_hand)


def test_components_are_framed_in_their_colours():
    sample = make_sample(num_components=3)
    for colours in (component_colours(3), hue_colours(3)):
        figure = overview_figure(sample, colours=colours)
        for k, axes in enumerate(figure.axes[4:7]):
            assert len(axes.patches) == sample.num_steps
            for patch in axes.patches:
                np.testing.assert_allclose(patch.get_edgecolor()[:3], colours[k])
    assert not any(axes.patches for axes in figure.axes[:4])


def test_chosen_steps_are_shown_under_their_numbers():
    sample = make_sample(num_steps=6)
    figure = overview_figure(sample, [2, 6])
    np.testing.assert_allclose(np.stack(images(figure.axes[0])), shown(sample.targets[[1, 5]]))
    assert [word for word in words(figure) if word == "init" or word.isdigit()] == [
        "init",
        "2",
        "6",
    ]


@pytest.mark.parametrize("steps", [[], [0], [1, 4]])
def test_steps_outside_the_sequence_are_refused(steps):
    with pytest.raises(ConfigError, match="steps: expected one or more numbers from 1 to 3"):
        overview_figure(make_sample(), steps)


def test_labels_say_in_words_what_a_row_is():
    said = words(overview_figure(dataclasses.replace(make_sample(), title="A title")))
    for label in ("A title", "clean target", "reconstruction", "assignment", "true objects"):
        assert label in said
    assert said.index("component 1") < said.index("component 2") < said.index("noisy input")
    assert "true objects" not in words(overview_figure(make_sample(groups=False)))


@pytest.mark.parametrize(
    ("num_steps", "num_components", "rows", "columns", "channels"),
    [(1, 1, 4, 4, 1), (1, 2, 1, 1, 3), (20, 3, 28, 28, 1), (2, 9, 3, 200, 3)],
)
def test_a_pixel_is_a_whole_number_of_dots(num_steps, num_components, rows, columns, channels):
    sample = make_sample(num_steps, num_components, rows, columns, channels)
    figure = overview_figure(sample)
    page = figure.get_size_inches() * figure.dpi
    np.testing.assert_allclose(page, page.round(), atol=1e-6)
    for axes in figure.axes:
        box = axes.get_window_extent()
        np.testing.assert_allclose(box.extents, np.round(box.extents), atol=1e-6)
        # One unit of the axes is one dot, so extents are in dots.
        np.testing.assert_allclose(box.width, np.ptp(axes.get_xlim()), atol=1e-6)
        for image in axes.get_images():
            left, right, bottom, top = image.get_extent()
            assert (right - left) % columns == 0
            assert (bottom - top) % rows == 0


def test_a_long_title_widens_the_page():
    sample = make_sample(num_steps=1)
    figure = overview_figure(dataclasses.replace(sample, title="W" * 20 + "flying_shapes" * 5))
    title = figure.texts[0].get_window_extent()
    assert title.x1 <= figure.bbox.x1


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("psi", (3, 2, 5, 6), "psi: expected shape [T, K, rows, columns, C]"),
        (
            "psi",
            (3, 2, 5, 6, 2),
            "psi: expected C = 1 (grey) or 3 (RGB) channels to draw, got C = 2",
        ),
        ("inputs", (3, 5, 6), "inputs: expected shape [T, rows, columns, C] = (3, 5, 6, 1)"),
        ("targets", (4, 5, 6, 1), "targets: expected shape [T, rows, columns, C] = (3, 5, 6, 1)"),
        ("gamma", (3, 2, 5, 6, 1), "gamma: expected shape [T, K, rows, columns] = (3, 2, 5, 6)"),
        ("gamma_init", (3, 5, 6), "gamma_init: expected shape [K, rows, columns] = (2, 5, 6)"),
        ("groups", (3, 5, 6, 1), "groups: expected shape [T, rows, columns] = (3, 5, 6)"),
    ],
)
def test_a_wrong_shape_is_named(name, shape, message):
    with pytest.raises(ConfigError, match=re.escape(message)) as error:
        dataclasses.replace(make_sample(), **{name: np.ones(shape, int)})
    assert str(shape) in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("psi", None, "psi: expected a NumPy array, got NoneType"),
        ("inputs", [[0.0]], "inputs: expected a NumPy array, got list"),
        ("inputs", np.full((3, 5, 6, 1), "a"), "inputs: expected numbers"),
        ("psi", np.full((3, 2, 5, 6, 1), np.nan), "psi: expected finite values"),
        ("gamma", np.ones((3, 2, 5, 6)), "gamma: expected non-negative weights that sum to 1"),
        ("groups", np.ones((3, 5, 6)), "groups: expected integer ids, got dtype float64"),
    ],
)
def test_a_wrong_value_is_named(name, value, message):
    with pytest.raises(ConfigError, match=message):
        dataclasses.replace(make_sample(), **{name: value})


def test_colours_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="colours: expected shape"):
        overview_figure(make_sample(), colours=hue_colours(3))
