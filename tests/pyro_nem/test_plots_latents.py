"""The figure of how much latents are used."""

import numpy as np
import pytest

from pyro_nem.errors import ConfigError
from pyro_nem.plots import activity_figure


def test_bars_are_ordered_and_told_apart():
    figure = activity_figure({"z_1": np.array([1e-7, 0.5, 0.02]), "z_2": np.array([-0.1])}, 0.01)
    one, two = figure.axes
    tops = [bar.get_y() + bar.get_height() for bar in one.patches]
    np.testing.assert_allclose(tops, [0.5, 0.02, 1e-5])
    colours = [bar.get_facecolor() for bar in one.patches]
    assert colours[0] == colours[1] != colours[2]
    assert "z_1: 2 of 3 latents are active" in one.get_title(loc="left")
    assert "z_2: 0 of 1 latents are active" in two.get_title(loc="left")
    figure.canvas.draw()


@pytest.mark.parametrize("nothing", [{}, {"z": np.zeros(0)}])
def test_nothing_is_refused(nothing):
    with pytest.raises(ConfigError, match="expected those of at least one latent"):
        activity_figure(nothing, 0.01)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_known_is_refused(value):
    with pytest.raises(ConfigError, match=r"got others for z_2; leave out what is not known"):
        activity_figure({"z_1": np.ones(3), "z_2": np.array([0.5, value])}, 0.01)
