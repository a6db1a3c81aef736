"""Piano rolls as pictures."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError

__all__ = ["RollPicture", "piano_roll_figure"]

_INK = "#222222"
_PREDICTED = "#D55E00"
_OCTAVE = 12


class RollPicture(NamedTuple):
    """A roll to draw.

    Attributes
    ----------
    title
        What is written above it.
    roll
        Notes, 0 or 1, `[T, keys]`.
    seen
        The number of steps that were given; later ones are predicted and have another colour.
    """

    title: str
    roll: NDArray[Any]
    seen: int | None = None


def piano_roll_figure(
    rows: Sequence[Sequence[RollPicture]], *, lowest_note: int, notes: tuple[int, int] | None = None
) -> Figure:
    """Draw rolls in rows, time in steps to the right and pitch upwards.

    Parameters
    ----------
    rows
        Rolls from left to right, in each row the same number of them.
    lowest_note
        The MIDI number of a roll's first key.
    notes
        Lowest and highest MIDI number to show; those of all rolls, whole octaves, if not given.

    Raises
    ------
    ConfigError
        There is no roll, one has other axes, or rows differ in their number.
    """
    widths = {len(row) for row in rows}
    if len(widths) != 1 or 0 in widths:
        raise ConfigError(
            f"rows: expected one or more rows with as many rolls each, got {sorted(widths)}"
        )
    every = [picture for row in rows for picture in row]
    for picture in every:
        if picture.roll.ndim != 2:
            raise ConfigError(
                f"rows: expected rolls [T, keys], got {list(picture.roll.shape)} of "
                f"{picture.title!r}"
            )
    if notes is None:
        notes = _range_of_notes(every, lowest_note)
    (columns,) = widths
    figure = Figure(
        figsize=(3.6 * columns, 1.9 * len(rows)), dpi=150, facecolor="white", layout="constrained"
    )
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for pictures, line in zip(rows, axes, strict=True):
        for picture, axis in zip(pictures, line, strict=True):
            steps, keys = picture.roll.nonzero()
            seen = len(picture.roll) if picture.seen is None else picture.seen
            for chosen, colour in ((steps < seen, _INK), (steps >= seen, _PREDICTED)):
                axis.barh(
                    keys[chosen] + lowest_note, 1.0, left=steps[chosen], height=0.9, color=colour
                )
            if seen < len(picture.roll):
                axis.axvline(seen, color=_PREDICTED, linewidth=0.8)
            axis.set_xlim(0, len(picture.roll))
            axis.set_ylim(notes[0] - 0.5, notes[1] + 0.5)
            axis.set_yticks([c for c in range(0, 128, _OCTAVE) if notes[0] <= c <= notes[1]])
            axis.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
            axis.set_title(picture.title, loc="left", fontsize=8, color=_INK)
            axis.tick_params(labelsize=7)
            axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("step", fontsize=7, color=_INK)
    for axis in axes[:, 0]:
        axis.set_ylabel("MIDI note", fontsize=7, color=_INK)
    if any(picture.seen is not None for picture in every):
        figure.legend(
            handles=[Patch(color=_PREDICTED, label="continued by the model")],
            loc="outside lower right",
            fontsize=7,
            frameon=False,
        )
    return figure


def _range_of_notes(pictures: Sequence[RollPicture], lowest_note: int) -> tuple[int, int]:
    """Return the octaves that hold all notes, at least one."""
    held = [lowest_note + int(key) for picture in pictures for key in picture.roll.nonzero()[1]]
    if not held:
        return 60, 72
    lowest, highest = min(held), max(held)
    return lowest - lowest % _OCTAVE, highest + _OCTAVE - highest % _OCTAVE
