"""Scores over steps."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from pyro_nem.errors import ConfigError
from pyro_nem.plots import seed_curves


def test_means_and_bands():
    several = np.array([[0.0, 0.5, 1.0], [1.0, 0.5, 0.0]])
    figure = seed_curves({"many": several, "one": several[:1]}, "AMI", trained=2)
    (axes,) = figure.axes
    many, one, mark = axes.lines
    assert many.get_ydata().tolist() == [0.5, 0.5, 0.5]
    assert many.get_xdata().tolist() == [1, 2, 3]
    assert one.get_ydata().tolist() == [0.0, 0.5, 1.0]
    assert mark.get_xdata() == [2, 2]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["many", "one", "2 steps of training"]
    assert many.get_linestyle() != one.get_linestyle()
    (band,) = axes.collections
    deviation = several.std(0, ddof=1)[0]
    low, high = band.get_datalim(axes.transData).intervaly
    assert (low, high) == pytest.approx((0.5 - deviation, 0.5 + deviation))


def test_long_names_stay_in_the_figure_and_hide_no_curve():
    names = ["short", *(f"{index}, " + "a setting of many words " * 8 for index in range(7))]
    figure = seed_curves({name: np.arange(6.0).reshape(2, 3) for name in names}, "AMI")
    FigureCanvasAgg(figure).draw()
    legend, axes = figure.legends[0].get_window_extent(), figure.axes[0].get_tightbbox()
    assert legend.y1 <= axes.y0
    assert legend.x0 >= 0
    assert legend.x1 <= figure.bbox.width
    assert legend.y0 >= 0
    assert axes.height > 300


def test_values_of_a_training_stand_at_their_updates():
    figure = seed_curves({"one": np.array([[2.0, 1.0]])}, "bound", updates=[50, 200])
    (axes,) = figure.axes
    assert axes.lines[0].get_xdata().tolist() == [50, 200]
    assert axes.get_xlabel() == "update"
    with pytest.raises(ConfigError, match="one for each of 2 values of one, got 3"):
        seed_curves({"one": np.array([[2.0, 1.0]])}, "bound", updates=[1, 2, 3])


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "got none"),
        ({"a": np.zeros(3)}, r"got \[3\] for a"),
        ({"a": np.zeros((0, 3))}, "for a"),
    ],
)
def test_bad_scores_are_refused(scores, message):
    with pytest.raises(ConfigError, match=message):
        seed_curves(scores, "AMI")
