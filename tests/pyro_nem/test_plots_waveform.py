"""Waveforms as pictures."""

import numpy as np
import pytest

from pyro_nem.errors import ConfigError
from pyro_nem.plots import WavePicture, waveform_figure


def test_time_is_in_seconds_and_the_predicted_has_another_colour():
    figure = waveform_figure(
        [[WavePicture("a", np.arange(8), seen=6), WavePicture("b", np.arange(-12, 0))]], rate=4
    )
    first, second = figure.axes
    lines = {line.get_color(): line.get_xydata().tolist() for line in first.lines}
    seen, predicted = lines.values()
    assert seen[-1] == [1.25, 5.0]
    assert predicted == [[1.5, 6.0], [1.75, 7.0]]
    assert not second.lines[1].get_xydata().size
    # All have the same scale.
    assert first.get_xlim() == second.get_xlim() == (0.0, 3.0)
    assert first.get_ylim() == second.get_ylim() == pytest.approx((-12.6, 12.6))
    assert first.get_title(loc="left") == "a"


def test_silence_can_be_drawn():
    (axis,) = waveform_figure([[WavePicture("silence", np.zeros(5))]], rate=5).axes
    assert axis.get_ylim() == pytest.approx((-1.05, 1.05))


@pytest.mark.parametrize("rows", [[], [[]], [[WavePicture("", np.zeros(1))], []]])
def test_uneven_rows_are_refused(rows):
    with pytest.raises(ConfigError, match="rows: expected one or more rows"):
        waveform_figure(rows, rate=1)
