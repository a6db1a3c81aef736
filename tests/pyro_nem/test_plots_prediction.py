"""How predictions age, drawn."""

import pytest

from pyro_nem.errors import ConfigError
from pyro_nem.plots import prediction_curves

SCORES = {"wrong_pixels": [0.1, 0.2, 0.4], "wrong_pixels_copy": [0.3, 0.5, 0.6]}


def test_model_and_copy_are_drawn_over_the_predicted_steps():
    figure = prediction_curves(SCORES)
    (axis,) = figure.axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in axis.lines}
    assert drawn == {"model": [0.1, 0.2, 0.4], "copy of the last seen frame": [0.3, 0.5, 0.6]}
    assert list(axis.lines[0].get_xdata()) == [1, 2, 3]
    assert axis.lines[0].get_linestyle() != axis.lines[1].get_linestyle()


def test_the_rand_index_has_a_panel_of_its_own():
    figure = prediction_curves({**SCORES, "ari": [0.9, 0.8, 0.7]})
    assert list(figure.axes[1].lines[0].get_ydata()) == [0.9, 0.8, 0.7]


@pytest.mark.parametrize("ari", [[0.9, 0.8, 0.7], [0.4, 0.0, -0.2]])
def test_all_values_are_inside_and_the_axes_begin_at_zero_or_below(ari):
    for axis in prediction_curves({**SCORES, "ari": ari}).axes:
        bottom, top = axis.get_ylim()
        values = [value for line in axis.lines for value in line.get_ydata()]
        assert bottom <= min(values)
        assert max(values) <= top
        assert (bottom == 0) == (min(values) > 0)


def test_missing_scores_are_named():
    with pytest.raises(ConfigError, match="wrong_pixels_copy is missing"):
        prediction_curves({"wrong_pixels": [0.1]})
