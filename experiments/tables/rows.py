"""The rows and figures of a table, from finished runs and tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from experiments.collect import collect
from experiments.frames.config import FrameExperiment
from experiments.frames.open_run import trained_settings
from experiments.tables.copying import COPY, copying_scores
from experiments.tables.options import SectionName
from experiments.tables.plan import LONG, TablePlan
from experiments.tables.published import published_transfer
from experiments.tables.result_rows import ResultRow, to_rows
from experiments.tables.run_groups import frames_name, setting_name
from experiments.tables.trials import Runs, Tested
from inference import RunDirectory

__all__ = ["Curves", "Section", "make_section", "prediction_note"]

_SEGMENTATION = ("ami", "ami_last", "ari", "ari_last")
_LONG_STEPS = (1, 5, 10, 20, 30, 40, LONG)
_PREDICTED_STEPS = (1, 2, 5, 10, 15, 20)


class _About(TypedDict):
    experiment: str
    scale: str
    network: str
    section: str


class Curves(NamedTuple):
    """A figure over steps.

    Attributes
    ----------
    scores
        Setting -> values [seeds, T].
    label
        Of the vertical axis.
    trained
        The steps of the training, if there are more.
    updates
        Those of the values, where they are of a training.
    """

    scores: dict[str, NDArray[np.float64]]
    label: str
    trained: int | None = None
    updates: list[int] | None = None


class Section(NamedTuple):
    """A part of a table.

    Attributes
    ----------
    rows
        Its rows.
    note
        What they are, for the Markdown.
    curves
        Its figure, if it has one.
    """

    rows: list[ResultRow]
    note: str
    curves: Curves | None = None


def make_section(
    name: SectionName,
    plan: TablePlan,
    runs: Runs,
    tested: Sequence[Tested],
    source: Mapping[str, Any],
) -> Section | None:
    """Return a section of a table, None if nothing of it is finished.

    Parameters
    ----------
    name, plan
        Which section of which table.
    runs
        The finished runs.
    tested
        The section's tests.
    source
        Command, commit and device of the table.
    """
    own = {needed: runs[needed] for needed in plan.needed(name) if needed in runs}
    done = [each for each in tested if each.contents]
    if not own or (tested and not done):
        return None
    if name == "main":
        rows = collect([run for each in own.values() for run in each])
        if plan.scores is not None:
            rows = [row for row in rows if row.metric.removeprefix("test.") in plan.scores]
        return Section(rows, plan.note, _learning(plan, own))
    if name == "prediction":
        return _prediction(own, source)
    return _generalisation(own, done) if name == "generalisation" else _steps(own, done)


def _learning(plan: TablePlan, runs: Runs) -> Curves | None:
    """Return how the settings learn, of seeds that were not stopped before others.

    None if the plan has no such figure, or no run a record of what it shows.
    """
    if plan.learning is None:
        return None
    metric, label = plan.learning
    found = {
        name: [
            [(r["update"], r[metric]) for r in run.read_metrics() if metric in r] for run in each
        ]
        for name, each in runs.items()
    }
    updates = [int(update) for update, _ in max(itertools.chain(*found.values()), key=len)]
    if not updates:
        return None
    whole = {
        name: [[value for _, value in each] for each in curves if len(each) == len(updates)]
        for name, curves in found.items()
    }
    scores = {name: np.array(curves) for name, curves in whole.items() if curves}
    return Curves(scores, label, updates=updates)


def _generalisation(runs: Runs, tested: Sequence[Tested]) -> Section:
    rows = []
    for test, contents, *_ in tested:
        rows += to_rows(
            contents,
            setting=f"{_setting(runs[test.trained])}, tested with {test.conditions}",
            metrics=_SEGMENTATION,
            paper=published_transfer(
                trained_settings(runs[test.trained][0]), contents[0]["conditions"]
            ),
            **_about(runs[test.trained], "generalisation"),
        )
    return Section(
        rows,
        "The weights of one setting, tested under other conditions without new training: with "
        "other objects/K, of digits also with one frame that stands still.",
    )


def _prediction(runs: Runs, source: Mapping[str, Any]) -> Section:
    scores: dict[str, Sequence[Mapping[str, Any]]] = {
        name: [run.read_summary() for run in each] for name, each in runs.items()
    }
    trained = next(iter(runs.values()))
    settings = trained_settings(trained[0])
    copied, frames = copying_scores(settings), frames_name(settings)
    scores |= {name: [{**source, **found}] for name, found in copied.items()}
    rows = []
    for name, each in scores.items():
        about = _about(runs.get(name, trained), "prediction")
        if name in copied:
            about["network"] = "none"
            setting = ", ".join([name, frames] if frames else [name])
        else:
            setting = f"{_setting(runs[name])}, prediction"
        rows += to_rows(
            [_with_steps(one, "next_step_bce", _PREDICTED_STEPS) for one in each],
            setting=setting,
            metrics=["next_step_bce", *_names("next_step_bce", _PREDICTED_STEPS)],
            **about,
        )
    # Beside the predictor that was never fitted, all others would look alike.
    drawn = {name: each for name, each in scores.items() if name != COPY}
    return Section(
        rows,
        prediction_note(settings),
        Curves(_curves(drawn, "next_step_bce"), "next-step BCE, nats a frame"),
    )


def prediction_note(settings: FrameExperiment) -> str:
    """Return what the rows of the section "prediction" are."""
    wrong = ", where a wrong pixel costs 13.8 nats" if settings.pixels == "bernoulli" else ""
    return (
        "Cross-entropy of max_k psi against the next clean frame, nats a frame, mean over steps "
        "and at some of them. A model has seen the frames before with noise and assigned the clean "
        f"ones. Copying predicts the last clean frame: as it is{wrong}, or fitted, as a + b x by "
        "least squares on training videos. K = 1 has the paper's network: the small one would draw "
        "all objects with one template of a few pixels."
    )


def _steps(runs: Runs, tested: Sequence[Tested]) -> Section:
    rows = []
    scores: dict[str, Sequence[Mapping[str, Any]]] = {}
    for test, contents, *_ in tested:
        rows += to_rows(
            [_with_steps(content, "ami", _LONG_STEPS) for content in contents],
            setting=f"{_setting(runs[test.trained])}, {test.conditions}",
            metrics=_names("ami", _LONG_STEPS),
            **_about(runs[test.trained], "steps"),
        )
        scores[test.trained] = contents
    trained = trained_settings(next(iter(runs.values()))[0]).steps
    return Section(
        rows,
        f"AMI at single steps of {LONG}; the training had {trained}.",
        Curves(_curves(scores, "ami"), "adjusted mutual information (1 is perfect)", trained),
    )


def _with_steps(content: Mapping[str, Any], metric: str, steps: Iterable[int]) -> dict[str, Any]:
    """Return scores with those of single steps, counted from 1, as metrics of their own."""
    values = content["per_step"].get(metric, [])
    found = {
        f"test.{name}": values[step - 1]
        for name, step in zip(_names(metric, steps), steps, strict=True)
        if step <= len(values)
    }
    return {**content, **found}


def _names(metric: str, steps: Iterable[int]) -> list[str]:
    return [f"{metric}, step {step}" for step in steps]


def _curves(
    scores: Mapping[str, Sequence[Mapping[str, Any]]], metric: str
) -> dict[str, NDArray[np.float64]]:
    """Return the values of each setting's seeds, those without any left out."""
    return {
        name: np.array([each["per_step"][metric] for each in contents])
        for name, contents in scores.items()
        if all(metric in each["per_step"] for each in contents)
    }


def _setting(runs: Sequence[RunDirectory]) -> str:
    return setting_name(trained_settings(runs[0]))


def _about(runs: Sequence[RunDirectory], section: str) -> _About:
    settings = trained_settings(runs[0])
    return {
        "experiment": settings.experiment,
        "scale": settings.scale,
        "network": settings.network,
        "section": section,
    }
