"""The figure of a comparison."""

import pytest

from pyro_nem.errors import ConfigError
from pyro_nem.plots import comparison_figure
from pyro_nem.plots.style import BLUE


def test_marks_tell_noise_from_differences():
    figure = comparison_figure(
        ["best", "near", "far"], [0.0, -1.0, -9.0], [0.0, 2.0, 3.0], [True, True, False], "nats"
    )
    (axes,) = figure.axes
    points, _, intervals = zip(*(container.lines for container in axes.containers), strict=True)
    assert [point.get_xdata()[0] for point in points] == [0.0, -1.0, -9.0]
    assert [point.get_markerfacecolor() for point in points] == ["white", "white", BLUE]
    ((segment,),) = (part.get_segments() for part in intervals[2])
    assert segment[:, 0].tolist() == [-12.0, -6.0]
    # The best one is on top.
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["best", "near", "far"]


def test_long_names_leave_room_for_the_marks():
    names = ["short", "runs/" + 20 * "folder/", "a name of forty letters, which is usual."]
    figure = comparison_figure(names, [0.0, -1.0, -2.0], [0.0, 1.0, 1.0], [True] * 3, "nats")
    figure.draw_without_rendering()
    (axes,) = figure.axes
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert [shown[0], shown[2]] == [names[0], names[2]]
    assert shown[1] == f"{names[1][:29]}\N{HORIZONTAL ELLIPSIS}{names[1][-29:]}"
    assert axes.get_window_extent().width / figure.dpi > 3.0  # inches
    box = axes.get_tightbbox()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width


@pytest.mark.parametrize("names", [[], ["a", "b"]])
def test_names_and_numbers_have_to_be_as_many(names):
    with pytest.raises(ConfigError, match=f"got {len(names)}, 1, 1 and 1"):
        comparison_figure(names, [0.0], [0.0], [True], "nats")
