"""Movements of a pen as drawings."""

import numpy as np
import pytest

from pyro_nem.errors import ConfigError
from pyro_nem.plots import PenPicture, pen_figure, pen_lines

MOVES = np.array(
    [
        [5, 6, 0, 0],
        [1, 0, 0, 0],
        [0, 2, 0, 0],
        [0, 0, 1, 0],
        [-3, 1, 0, 0],
        [1, 1, 0, 0],
        [0, 0, 1, 1],
        [9, 9, 0, 0],
    ]
)


def test_a_stroke_begins_where_the_pen_was_carried():
    first, second = pen_lines(MOVES)
    assert first.tolist() == [[5, 6, 0], [6, 6, 1], [6, 8, 2]]
    assert second.tolist() == [[3, 9, 4], [4, 10, 5]]
    assert pen_lines(MOVES[:0]) == []


def test_what_was_predicted_has_another_colour_and_goes_on_from_what_was_seen():
    (axes,) = pen_figure([[PenPicture("seven", MOVES, seen=2)]]).axes
    lines = [(line.get_color(), line.get_xydata().tolist()) for line in axes.lines]
    seen = [points for colour, points in lines if colour == lines[0][0] and points]
    predicted = [points for colour, points in lines if colour != lines[0][0]]
    assert seen == [[[5, 6], [6, 6]]]
    assert predicted == [[[6, 6], [6, 8]], [[3, 9], [4, 10]]]
    assert axes.get_title(loc="left") == "seven"
    # y grows downwards.
    assert axes.get_ylim() == (28, 0)


def test_a_picture_grows_to_hold_its_strokes():
    far = np.array([[-4, 2, 0, 0], [40, 0, 0, 0]])
    (axes,) = pen_figure([[PenPicture("far", far)]]).axes
    assert axes.get_xlim() == (-4, 36)
    assert len({line.get_color() for line in axes.lines}) == 1


def test_rows_of_unequal_length_are_refused():
    picture = PenPicture("one", MOVES)
    for rows in ([], [[]], [[picture], [picture, picture]]):
        with pytest.raises(ConfigError, match="rows: expected one or more rows"):
            pen_figure(rows)
