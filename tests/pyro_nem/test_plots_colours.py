from colorsys import rgb_to_hsv

import numpy as np
import pytest

from pyro_nem.errors import ConfigError
from pyro_nem.plots import colour_groups, component_colours, hue_colours, mix_colours


@pytest.mark.parametrize("num_components", [1, 2, 3, 7, 20])
def test_hues_start_at_blue_and_are_equally_spaced(num_components):
    hsv = np.array([rgb_to_hsv(*colour) for colour in hue_colours(num_components)])
    expected = (2 / 3 + np.arange(num_components) / num_components) % 1
    # Compare on the circle, where 0 and 1 are the same hue.
    distance = np.abs(hsv[:, 0] - expected)
    assert np.minimum(distance, 1 - distance).max() < 1e-9
    assert np.all(hsv[:, 1:] == 1)


@pytest.mark.parametrize("num_components", range(1, 12))
def test_component_colours_are_distinct_and_start_at_a_blue(num_components):
    colours = component_colours(num_components)
    assert colours.shape == (num_components, 3)
    assert len(np.unique(colours, axis=0)) == num_components
    assert colours[0].argmax() == 2


def test_a_component_keeps_its_colour_up_to_eight_components():
    for num_components in range(1, 9):
        assert np.array_equal(
            component_colours(num_components), component_colours(8)[:num_components]
        )


def test_more_than_eight_components_take_hues():
    assert np.array_equal(component_colours(9), hue_colours(9))


@pytest.mark.parametrize("num_components", [3, 5])
def test_an_undecided_pixel_is_nearly_grey(num_components):
    mean = component_colours(num_components).mean(0)
    assert rgb_to_hsv(*mean)[1] < 0.3


@pytest.mark.parametrize("make", [hue_colours, component_colours])
def test_no_components_are_refused(make):
    with pytest.raises(ConfigError, match="num_components: expected at least 1, got 0"):
        make(0)


@pytest.mark.parametrize("num_components", [1, 3, 8, 10])
def test_one_hot_assignment_has_the_colour_of_its_component(num_components):
    ids = np.random.default_rng(0).integers(num_components, size=(2, 4, 5))
    gamma = np.moveaxis(np.eye(num_components)[ids], -1, 1)  # [T, K, rows, columns]
    mixed = mix_colours(gamma)
    assert mixed.shape == (2, 4, 5, 3)
    np.testing.assert_allclose(mixed, component_colours(num_components)[ids], atol=1e-12)


def test_soft_assignment_is_the_weighted_mean_and_stays_in_range():
    gamma = np.array([0.25, 0.75]).reshape(2, 1, 1)
    colours = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    np.testing.assert_allclose(mix_colours(gamma, colours)[0, 0], [0.25, 0.75, 1.0])
    assert mix_colours(gamma * 1.001, colours).max() == 1.0
    np.testing.assert_array_equal(mix_colours(gamma, colours.tolist()), mix_colours(gamma, colours))


def test_mixing_names_what_is_wrong():
    with pytest.raises(ConfigError, match=r"gamma: expected shape .* got \(2, 3\)"):
        mix_colours(np.ones((2, 3)))
    with pytest.raises(ConfigError, match=r"colours: expected shape .*\(2, 3\), got \(3, 3\)"):
        mix_colours(np.ones((2, 4, 4)), np.ones((3, 3)))
    with pytest.raises(ConfigError, match=r"colours: expected shape .*\(2, 3\), got \(2,\)"):
        mix_colours(np.ones((2, 4, 4)), ["red", "blue"])
    with pytest.raises(ConfigError, match=r"colours: expected RGB values in \[0, 1\]"):
        mix_colours(np.ones((2, 4, 4)), np.full((2, 3), 255))


def test_objects_take_the_colours_of_the_components_that_hold_them():
    groups = np.array([[[0, 1, 2, 7]]])  # [T, rows, columns]; ids need not be consecutive
    holder = np.array([[[0, 2, 0, 1]]])
    gamma = np.moveaxis(np.eye(3)[holder], -1, 1)
    painted = colour_groups(groups, gamma)
    assert np.all(painted[0, 0, 0] == 0)
    assert np.array_equal(painted[0, 0, 1:], component_colours(3)[[2, 0, 1]])


def test_a_component_gives_its_colour_to_one_object_only():
    groups = np.array([[[1, 1, 2, 0]]])
    gamma = np.zeros((1, 2, 1, 4))
    gamma[:, 0] = 1
    painted = colour_groups(groups, gamma)
    assert np.array_equal(painted[0, 0, 0], component_colours(2)[0])
    assert np.array_equal(painted[0, 0, 2], component_colours(2)[1])


def test_objects_beyond_the_components_are_distinct_greys():
    groups = np.array([[[1, 2, 3]]])
    painted = colour_groups(groups, np.ones((1, 1, 1, 3)))
    assert len(np.unique(painted[0, 0], axis=0)) == 3
    assert np.ptp(painted[0, 0, 1]) == np.ptp(painted[0, 0, 2]) == 0


def test_no_objects_at_all_are_black():
    assert not colour_groups(np.zeros((1, 2, 2), int), np.ones((1, 1, 2, 2))).any()


def test_groups_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match=r"groups: expected shape .*\(1, 2, 2\).*got \(1, 2, 3\)"):
        colour_groups(np.zeros((1, 2, 3), int), np.ones((1, 1, 2, 2)))
    with pytest.raises(ConfigError, match=r"gamma: expected shape \[T, K"):
        colour_groups(np.zeros((1, 2, 2), int), np.ones((1, 2, 2)))
