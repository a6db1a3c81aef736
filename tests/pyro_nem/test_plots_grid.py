"""Images in a grid, and curves in panels."""

import itertools

import numpy as np
import pytest

from pyro_nem.errors import ConfigError
from pyro_nem.plots import CurvePanel, curve_panels, image_grid


def test_every_image_has_its_place_and_ink_is_dark():
    images = np.zeros((2, 3, 4, 5))
    images[1, 2, 3, 4] = 1.0
    images[0, 1, 0, 0] = 7.0
    figure = image_grid(images, "two rows", gap=1)
    (axes,) = figure.axes
    (picture,) = axes.images
    page = np.asarray(picture.get_array())
    assert page.shape == (2 * 5, 3 * 6)
    assert np.argwhere(page).tolist() == [[0, 6], [5 + 3, 12 + 4]]
    assert page.max() == 1.0
    assert picture.get_cmap()(1.0)[:3] == (0.0, 0.0, 0.0)
    assert picture.get_clim() == (0.0, 1.0)
    assert [text.get_text() for text in figure.texts] == ["two\nrows"]


@pytest.mark.parametrize("across", [1, 4, 10])
def test_a_title_is_never_cut(across):
    title = "test digits, each above its reconstruction"
    figure = image_grid(np.ones((2, across, 28, 28)), title)
    figure.draw_without_rendering()
    (text,) = figure.texts
    assert text.get_text().split() == title.split()
    (axes,) = figure.axes
    place = text.get_window_extent()
    assert place.x1 <= figure.bbox.x1
    assert axes.bbox.y1 <= place.y0 < place.y1 <= figure.bbox.y1
    # Every pixel is a square of whole dots.
    assert (axes.bbox.width, axes.bbox.height) == pytest.approx((2 * 29 * across, 2 * 2 * 29))


def test_a_page_of_one_pixel_may_have_no_title():
    image_grid(np.ones((1, 1, 1, 1)), "").draw_without_rendering()


@pytest.mark.parametrize("shape", [(3, 4, 5), (0, 1, 4, 5)])
def test_what_is_no_grid_of_images_is_refused(shape):
    with pytest.raises(ConfigError, match="images: expected"):
        image_grid(np.zeros(shape), "nothing")


def test_a_line_looks_the_same_in_every_panel():
    panels = [
        CurvePanel(f"{n} latents", "images", curves)
        for n, curves in enumerate(
            [{"adam": [(1, -3.0), (10, -2.0)], "adagrad": [(1, -4.0)]}, {"adagrad": [(5, -1.0)]}]
        )
    ]
    figure = curve_panels(panels, "ELBO, nats")
    one, two = figure.axes
    assert [line.get_xydata().tolist() for line in one.lines] == [[[1, -3], [10, -2]], [[1, -4]]]
    assert one.lines[1].get_color() == two.lines[0].get_color() != one.lines[0].get_color()
    assert [axes.get_title(loc="left") for axes in (one, two)] == ["0 latents", "1 latents"]
    assert one.get_xscale() == "log"
    assert one.get_ylabel() == "ELBO, nats"
    assert one.get_ylim() == two.get_ylim()
    assert len(curve_panels(panels * 3, "x").axes) == 8


def test_too_many_lines_or_no_panel_are_refused():
    many = {str(n): [(1.0, 1.0)] for n in range(5)}
    for panels in ([], [CurvePanel("many", "x", many)]):
        with pytest.raises(ConfigError, match="panels: expected at least one and up to 4"):
            curve_panels(panels, "y")


def test_a_curve_without_points_is_refused():
    panels = [CurvePanel("one", "x", {"a": [(1, 1)]}), CurvePanel("two", "x", {"a": []})]
    with pytest.raises(ConfigError, match=r"panels: .* got none of 'a' in 'two'; leave it out"):
        curve_panels(panels, "y")


def test_labels_of_less_than_a_decade_neither_lack_nor_touch():
    points = [(count * 1e5, 1.0) for count in (1, 2, 3, 4, 5)]
    panels = [CurvePanel("few", "images", {"a": points})] * 4
    figure = curve_panels(panels, "y")
    figure.draw_without_rendering()
    labels = [label for label in figure.axes[0].get_xticklabels(which="both") if label.get_text()]
    inside = [label for label in labels if 1e5 <= label.get_position()[0] <= 5e5]
    assert [label.get_text() for label in inside] == ["100k", "200k", "500k"]
    edges = [label.get_window_extent() for label in inside]
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(edges))
