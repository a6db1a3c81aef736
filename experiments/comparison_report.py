"""A comparison of runs on the terminal, as Markdown and JSON, and as a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from inference.diagnostics import Standing
from pyro_nem.files import make_directory, replacing, write_json
from pyro_nem.plots import comparison_figure, save_figure

__all__ = ["ComparedModel", "print_comparison", "write_comparison"]

_NAME = "comparison"


class ComparedModel(NamedTuple):
    """A model of the comparison.

    Attributes
    ----------
    standing
        Where it stands.
    runs
        The folders of its runs.
    means
        The mean log-likelihood of each run.
    """

    standing: Standing
    runs: list[str]
    means: list[float]


def print_comparison(models: Sequence[ComparedModel], about: Mapping[str, Any]) -> None:
    """Print the table, best model first, with what it shows.

    Parameters
    ----------
    models
        Best first.
    about
        "meaning", "unit", "sequences" and "data" of the log-likelihoods.
    """
    print(_markdown(models, about), end="")


def write_comparison(
    models: Sequence[ComparedModel], about: Mapping[str, Any], folder: Path
) -> None:
    """Write comparison.md, .json and .png to a folder; see :func:`print_comparison`.

    Raises
    ------
    StorageError
        If the system refuses to write.
    """
    make_directory(folder)
    with replacing(folder / f"{_NAME}.md") as temporary:
        temporary.write_text(f"# Comparison\n\n{_markdown(models, about)}", encoding="utf-8")
    rows = [
        {**model.standing._asdict(), "means": model.means, "runs": model.runs} for model in models
    ]
    write_json(folder / f"{_NAME}.json", {**about, "models": rows})
    standings = [model.standing for model in models]
    figure = comparison_figure(
        [standing.name for standing in standings],
        [standing.difference for standing in standings],
        [standing.factor * standing.difference_error for standing in standings],
        [standing.verdict in ("best", "noise") for standing in standings],
        f"difference to the best, {about['unit']}",
    )
    save_figure(figure, folder / f"{_NAME}.png")
    print(f"in {folder}: {_NAME}.md, .json and .png")


def _markdown(models: Sequence[ComparedModel], about: Mapping[str, Any]) -> str:
    lines = [
        f"{about['meaning'][0].upper()}{about['meaning'][1:]}. {about['unit'].capitalize()}, over "
        f"{about['sequences']:,} sequences of {about['data']}.",
        "",
        "| model | seeds | mean ± s.e. | s.d. over seeds | difference ± s.e. | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for model in models:
        own = model.standing
        spread = "" if own.spread is None else f"{own.spread:.2f}"
        difference = (
            "" if own.verdict == "best" else f"{own.difference:.2f} ± {own.difference_error:.2f}"
        )
        name = own.name.replace("|", r"\|")  # a folder may be called so
        lines.append(
            f"| {name} | {own.seeds} | {own.mean:.2f} ± {own.error:.2f} | {spread} | "
            f"{difference} | {own.verdict} |"
        )
    return "\n".join(lines) + "\n"
