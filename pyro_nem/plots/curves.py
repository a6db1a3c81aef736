"""Learning curves from the log of a run."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pyro_nem.plots.style import BLUE, FAINT, VERMILION, tidy

__all__ = ["learning_curves"]

_TRAIN = BLUE
_VALIDATION = VERMILION


class _Line(NamedTuple):
    """How one key of the records is drawn."""

    key: str
    label: str
    colour: str
    style: str


# Colour tells training from validation, the line style every line of a panel from its
# neighbours, so that a print in grey can be read as well.
_PANELS: tuple[tuple[str, tuple[_Line, ...]], ...] = (
    (
        "loss, {unit}",
        (
            _Line("train.loss", "training", _TRAIN, "-"),
            _Line("validation.loss", "validation", _VALIDATION, "--"),
        ),
    ),
    (
        "adjusted Rand index (1 is perfect)",
        (
            _Line("train.ari", "training, all steps", _TRAIN, "-"),
            _Line("train.ari_last", "training, last step", _TRAIN, ":"),
            _Line("validation.ari", "validation, all steps", _VALIDATION, "--"),
            _Line("validation.ari_last", "validation, last step", _VALIDATION, "-."),
        ),
    ),
    (
        "effective components",
        (
            _Line("train.effective_components", "training", _TRAIN, "-"),
            _Line("validation.effective_components", "validation", _VALIDATION, "--"),
        ),
    ),
    (
        "{kl}",
        (
            _Line("train.kl", "training", _TRAIN, "-"),
            _Line("validation.kl", "validation", _VALIDATION, "--"),
        ),
    ),
)


def learning_curves(
    records: Sequence[Mapping[str, float]],
    *,
    unit: str = "nats a clip",
    kl: str = "KL of the states, nats a step",
) -> Figure:
    """Draw loss, adjusted Rand index, effective components and, if there is one, KL over updates.

    Parameters
    ----------
    records
        Lines of `metrics.jsonl`. Keys used: `update`, and `loss`, `ari`, `ari_last`,
        `effective_components` and `kl` under `train.` and `validation.`. Any may be missing from
        any record. A record without `update` has no place on the axis and is left out; of several
        with the same update, as a resumed run may write, the last counts. A value that is not
        finite leaves a gap.
    unit
        That of the loss.
    kl
        The title of the panel of the KL.

    Returns
    -------
    Figure
        An axes for each of these that has a value, from left to right. That of the loss is always
        there, and says so if it has nothing to show.
    """
    panels = [_PANELS[0]]
    panels += [
        (name, lines)
        for name, lines in _PANELS[1:]
        if any(
            math.isfinite(record.get(line.key, math.nan)) for line in lines for record in records
        )
    ]
    width = 13.0 / 3 * len(panels)
    figure = Figure(figsize=(width, 3.8), dpi=150, facecolor="white", layout="constrained")
    for index, (name, lines) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), index + 1)
        _draw_panel(axes, name.format(unit=unit, kl=kl), lines, records)
    return figure


def _draw_panel(
    axes: Axes, name: str, lines: tuple[_Line, ...], records: Sequence[Mapping[str, float]]
) -> None:
    """Draw one panel with its frame, labels and legend."""
    for line in lines:
        points = _points(records, line.key)
        if not points:
            continue
        axes.plot(
            list(points),
            list(points.values()),
            label=line.label,
            color=line.colour,
            linestyle=line.style,
            linewidth=1.6,
            # One point makes no line.
            marker="o" if len(points) == 1 else None,
            markersize=4,
        )
    axes.set_xlabel("updates")
    tidy(axes, name)
    if axes.lines:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        # Below, where no line can be.
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.14),
            ncols=2,
            fontsize=8,
            frameon=False,
            handlelength=3.2,
        )
    else:
        axes.set(xticks=[], yticks=[])
        axes.text(0.5, 0.5, "not recorded", ha="center", transform=axes.transAxes, color=FAINT)


def _points(records: Sequence[Mapping[str, float]], key: str) -> dict[float, float]:
    """Collect {update: value} in the order of updates."""
    points: dict[float, float] = {}
    for record in records:
        if "update" in record and key in record:
            value = record[key]
            points[record["update"]] = value if math.isfinite(value) else math.nan
    return dict(sorted(points.items()))
