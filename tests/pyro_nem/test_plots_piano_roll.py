"""Piano rolls as pictures."""

import numpy as np
import pytest

from pyro_nem.errors import ConfigError
from pyro_nem.plots import RollPicture, piano_roll_figure


def roll(*notes, steps=4):
    made = np.zeros((steps, 88))
    for step, key in notes:
        made[step, key] = 1
    return made


def bars(axes):
    """(step, note, colour) of what is drawn."""
    return sorted(
        (bar.get_x(), round(bar.get_y() + bar.get_height() / 2), bar.get_facecolor())
        for bar in axes.patches
    )


def test_every_note_is_a_bar_and_predicted_ones_have_another_colour():
    picture = RollPicture("one", roll((0, 39), (3, 44)), seen=2)
    (axes,) = piano_roll_figure([[picture]], lowest_note=21).axes
    (first, second) = bars(axes)
    assert first[:2] == (0, 60)
    assert second[:2] == (3, 65)
    assert first[2] != second[2]
    assert axes.get_xlim() == (0, 4)
    assert axes.get_title(loc="left") == "one"
    assert [line.get_xdata()[0] for line in axes.lines] == [2]
    whole = piano_roll_figure([[picture._replace(seen=None)]], lowest_note=21).axes[0]
    assert len({colour for _, _, colour in bars(whole)}) == 1
    assert not whole.lines


def test_axes_and_the_colour_of_continued_notes_are_explained():
    picture = RollPicture("one", roll((0, 39), (3, 44)), seen=2)
    figure = piano_roll_figure([[picture] * 2] * 2, lowest_note=21)
    labels = [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes]
    assert labels == [("", "MIDI note"), ("", ""), ("step", "MIDI note"), ("step", "")]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["continued by the model"]
    assert legend.get_patches()[0].get_facecolor() == bars(figure.axes[0])[1][2]
    assert not piano_roll_figure([[picture._replace(seen=None)]], lowest_note=21).legends


def test_all_pictures_show_the_octaves_that_hold_all_notes():
    rows = [
        [RollPicture("low", roll((0, 39))), RollPicture("empty", roll())],
        [RollPicture("high", roll((0, 55))), RollPicture("long", roll((8, 40), steps=9))],
    ]
    figure = piano_roll_figure(rows, lowest_note=21)
    assert [axes.get_ylim() for axes in figure.axes] == [(59.5, 84.5)] * 4
    empty = piano_roll_figure([[RollPicture("empty", roll())]], lowest_note=21).axes[0]
    assert empty.get_ylim() == (59.5, 72.5)


def test_rows_of_unequal_length_are_refused():
    picture = RollPicture("one", roll())
    for rows in ([], [[]], [[picture], [picture, picture]]):
        with pytest.raises(ConfigError, match="rows: expected one or more rows"):
            piano_roll_figure(rows, lowest_note=21)


@pytest.mark.parametrize("notes", [None, (60, 72)])
@pytest.mark.parametrize("shape", [(88,), (2, 4, 88)])
def test_rolls_of_other_axes_are_refused(shape, notes):
    rows = [[RollPicture("one", roll()), RollPicture("two", np.ones(shape))]]
    with pytest.raises(ConfigError, match=r"rows: expected rolls \[T, keys\], got .* of 'two'"):
        piano_roll_figure(rows, lowest_note=21, notes=notes)
