"""The tests of a table: which there are, and their scores, kept from before or made now."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from experiments.cli import launcher, parse
from experiments.frames.evaluate_options import EvaluateOptions
from experiments.frames.open_run import open_run
from experiments.frames.published_files import is_published
from experiments.frames.trial import Trial, trial
from experiments.tables.options import SectionName, TableOptions
from experiments.tables.plan import LONG, TablePlan, Test
from inference import RunDirectory
from pyro_nem.errors import PyroNemError

__all__ = ["Runs", "Tested", "intended", "plan_tests", "score"]

_EVALUATE = "experiments.evaluate"

_MOST_SEQUENCES = 1_000

Runs = Mapping[str, Sequence[RunDirectory]]
"""Setting -> its finished runs."""


class Tested(NamedTuple):
    """A test and what came of it.

    Attributes
    ----------
    test
        The test.
    contents
        What the files of its seeds hold.
    left
        How many seeds there was no time for.
    refused
        Of each seed that cannot be tested, which and why.
    """

    test: Test
    contents: list[dict[str, Any]]
    left: int
    refused: list[str]


def plan_tests(options: TableOptions, plan: TablePlan, section: SectionName) -> list[Test]:
    """Return the tests of a section beside the runs' own."""
    tests: Sequence[Test] = ()
    if section == "generalisation":
        tests = plan.tests
    if section == "steps":
        tests = [Test(name, f"{LONG} steps", ("--steps", str(LONG))) for name in plan.long]
    if options.sequences is None:
        return list(tests)
    counted = f", {options.sequences} sequences"
    return [test._replace(conditions=test.conditions + counted) for test in tests]


def intended(options: TableOptions, test: Test, runs: Runs) -> list[str]:
    """Return a line for each finished run of a test's setting: whether it is tested, and how.

    Parameters
    ----------
    options
        Those of the table: how many sequences, and where.
    test
        The test.
    runs
        All finished runs.
    """
    return [_intention(options, test, run) for run in runs.get(test.trained, ())]


def _intention(options: TableOptions, test: Test, run: RunDirectory) -> str:
    try:
        trial = _trial(options, test, run)
        state = "new" if trial.stored() is None else "tested"
    except PyroNemError as error:
        return f"{'refused':<13}{run.path}, tested with {test.conditions}: {error}"
    return f"{state:<13}{shlex.join([*launcher(_EVALUATE), *trial.arguments])}"


def score(options: TableOptions, test: Test, runs: Runs, time_is_up: Callable[[], bool]) -> Tested:
    """Return the scores of a test, those made that are not kept from before.

    Parameters
    ----------
    options, test, runs
        See :func:`intended`.
    time_is_up
        Asked before each seed that has to be scored; True leaves it and the others out.
    """
    contents, refused = [], []
    left = 0
    for run in runs.get(test.trained, ()):
        try:
            content = _content(_trial(options, test, run), time_is_up)
        except PyroNemError as error:
            refused.append(f"{run.path}, tested with {test.conditions}: {error}")
            continue
        if content is None:
            left += 1
        else:
            contents.append(content)
    return Tested(test, contents, left, refused)


def _content(trial: Trial, time_is_up: Callable[[], bool]) -> dict[str, Any] | None:
    """Return the scores of one seed, None if there is no time to make them."""
    content = trial.stored()
    if content is not None:
        return content
    if time_is_up():
        return None
    options = trial.options
    with open_run(
        trial.directory, trial.settings, split=options.split, checkpoint=options.checkpoint
    ) as run:
        _, content = trial.score(run)
    print(f"tested: {trial.file}", flush=True)
    return content


def _trial(options: TableOptions, test: Test, run: RunDirectory) -> Trial:
    settings = run.read_settings()
    scored = settings["test_sequences"]
    sequences = min(scored, _MOST_SEQUENCES) if options.sequences is None else options.sequences
    words = [str(run.path), *test.options, "--sequences", str(sequences)]
    if settings["data"] is not None and is_published(Path(settings["data"])):
        # Those of other conditions are in the same folder.
        words += ["--data-dir", str(Path(settings["data"]).parent)]
    if options.devices:
        words += ["--device", options.devices[0]]
    return trial(parse(EvaluateOptions, _EVALUATE, words), words)
