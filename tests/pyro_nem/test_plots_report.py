"""The figures of a report."""

import math
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from pyro_nem.errors import ConfigError
from pyro_nem.plots import (
    RestartSample,
    StepCurve,
    component_colours,
    figure_png,
    reliability_diagram,
    step_curves,
    uncertainty_figure,
    uncertainty_maps,
)
from pyro_nem.plots.style import BLUE, ORANGE, VERMILION


def lightness(colour):
    """CIE L*, 0 to 100: how light a colour is in a print in grey."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = float(np.dot((0.2126, 0.7152, 0.0722), linear))
    return 116 * np.cbrt(luminance) - 16 if luminance > 0.008856 else 903.3 * luminance


def test_lines_differ_in_grey():
    levels = sorted(lightness(colour) for colour in (BLUE, VERMILION, ORANGE))
    assert np.diff(levels).min() > 5
    # On white paper, or none of it would be seen.
    assert levels[-1] < 75


def test_components_differ_in_grey():
    """The first of eight are those of fewer."""
    levels = sorted(lightness(colour) for colour in component_colours(8))
    assert np.diff(levels).min() > 7
    assert levels[0] > 25  # nor black, which is the background


def test_step_curves_have_intervals_and_differ_without_colour():
    curves = {
        "AMI": StepCurve([0.1, 0.5, 0.7], [0.01, 0.02, 0.03]),
        "ARI": StepCurve([0.2, 0.4, 0.6], [math.nan] * 3),
    }
    (axes,) = step_curves(curves, "agreement").axes
    first, second = axes.lines
    np.testing.assert_array_equal(first.get_xydata(), [[1, 0.1], [2, 0.5], [3, 0.7]])
    assert first.get_linestyle() != second.get_linestyle()
    assert first.get_marker() != second.get_marker()
    corners = axes.collections[0].get_paths()[0].vertices
    assert corners[:, 1].max() == pytest.approx(0.7 + 0.03)
    assert not np.isfinite(axes.collections[1].get_paths()).any() or not len(
        axes.collections[1].get_paths()
    )
    for number in (0, 3):
        with pytest.raises(ConfigError, match="curves: expected 1 or 2"):
            step_curves(dict(zip("abc"[:number], [curves["AMI"]] * number, strict=True)), "")


def test_reliability_shows_filled_bins_and_all_counts():
    nan = math.nan
    figure = reliability_diagram(
        np.array([0.1, nan, 0.9]),
        np.array([0.2, nan, 0.8]),
        np.array([0.05, nan, 0.02]),
        np.array([40, 0, 7]),
        "it rains",
    )
    curve, counts = figure.axes
    (bars,) = curve.containers
    np.testing.assert_array_equal(bars[0].get_xydata(), [[0.1, 0.2], [0.9, 0.8]])
    np.testing.assert_allclose(bars[2][0].get_segments()[0], [[0.1, 0.1], [0.1, 0.3]])
    assert [bar.get_height() for bar in counts.patches] == [40, 0, 7]
    assert counts.get_xlabel() == "probability that it rains"
    assert figure_png(figure).startswith(b"\x89PNG")
    assert not figure.axes


def test_uncertainty_is_divided_into_within_and_between():
    sure, other = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    torn = np.array([0.5, 0.5])
    pixels = [[sure, sure], [sure, other], [torn, torn], [sure, torn]]  # each: two restarts
    gamma = np.array(pixels).transpose(1, 2, 0)[:, :, None]  # [R, K, 1, 4]
    within, between = uncertainty_maps(gamma)
    mixed = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)
    np.testing.assert_allclose(within, [[0, 0, 1, 0.5]])
    np.testing.assert_allclose(between, [[0, 1, 0, mixed - 0.5]], atol=1e-12)


def test_a_single_component_is_never_uncertain():
    within, between = uncertainty_maps(np.ones((2, 1, 3, 3)))
    assert not within.any()
    assert not between.any()


@pytest.mark.parametrize(("channels", "groups"), [(1, True), (3, False)])
def test_the_uncertainty_figure_has_a_row_for_each_frame(channels, groups):
    generator = np.random.default_rng(0)
    gamma = generator.dirichlet([1, 1, 1], size=(2, 4, 5)).transpose(0, 3, 1, 2)
    truth = generator.integers(3, size=(4, 5)) if groups else None
    frame = generator.normal(size=(4, 5, channels))
    samples = [RestartSample(frame, gamma, truth, f"sequence {n}") for n in range(2)]
    figure = uncertainty_figure(samples)
    cells = [axes for axes in figure.axes if axes.images]
    assert len(cells) == 2 * (1 + groups + 2 + 2)
    for shown, values in zip(cells[-2:], uncertainty_maps(gamma), strict=True):
        drawn = shown.images[0].get_array()
        left_out = truth == 0 if groups else np.zeros((4, 5), bool)
        np.testing.assert_array_equal(np.ma.getmaskarray(drawn), left_out)
        np.testing.assert_array_equal(drawn.data[~left_out], values[~left_out])
        red, green, blue, _ = shown.images[0].get_cmap().get_bad()
        assert red == green == blue
    figure.draw_without_rendering()
    with pytest.raises(ConfigError, match="samples: expected at least one"):
        uncertainty_figure([])


def test_frames_that_do_not_agree_are_refused():
    def sample(restarts, components, groups):
        gamma = np.full((restarts, components, 4, 5), 1 / components)
        return RestartSample(np.zeros((4, 5, 1)), gamma, groups, "")

    groups = np.ones((4, 5), int)
    for other in ((3, 2), (2, 3)):
        found = f"in all, got (2, 2) in sample 0 and {other} in sample 1"
        with pytest.raises(ConfigError, match=re.escape(found)):
            uncertainty_figure([sample(2, 2, groups), sample(*other, groups)])
    with pytest.raises(ConfigError, match=r"samples: expected groups in all .* 0 and 1 differ"):
        uncertainty_figure([sample(2, 2, groups), sample(2, 2, None)])


def test_a_frame_without_labels_has_all_of_its_maps():
    gamma = np.full((2, 3, 4, 5), 1 / 3)
    sample = RestartSample(np.zeros((4, 5, 1)), gamma, np.zeros((4, 5), np.uint8), "unlabelled")
    for axes in uncertainty_figure([sample]).axes[-3:-1]:
        assert not np.ma.getmaskarray(axes.images[0].get_array()).any()
