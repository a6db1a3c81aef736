"""The tests of a table: which there are, and their scores, kept from before or made now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from experiments.cli import parse
from experiments.frames.evaluate_options import EvaluateOptions
from experiments.frames.open_run import open_run
from experiments.frames.trial import Trial, trial
from experiments.tables.options import SectionName, TableOptions
from experiments.tables.plan import TablePlan, Test
from inference import RunDirectory

__all__ = ["EVALUATE", "LONG", "Runs", "Tested", "plan_tests", "score", "trials_of"]

EVALUATE = "experiments.evaluate"
"""The command that makes the same scores by hand."""

LONG = 50
"""The steps of the section "steps"."""

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
    """

    test: Test
    contents: list[dict[str, Any]]
    left: int


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


def trials_of(options: TableOptions, test: Test, runs: Runs) -> list[Trial]:
    """Return a test of each finished run of its setting.

    Parameters
    ----------
    options
        Those of the table: how many sequences, and where.
    test
        The test.
    runs
        All finished runs.
    """
    return [_trial(options, test, run) for run in runs.get(test.trained, ())]


def score(test: Test, trials: Sequence[Trial], time_is_up: Callable[[], bool]) -> Tested:
    """Return the scores of a test, those made that are not kept from before.

    Parameters
    ----------
    test, trials
        The test and what :func:`trials_of` returned for it.
    time_is_up
        Asked before each seed that has to be scored; True leaves it and the others out.
    """
    contents = []
    for each in trials:
        content = each.stored()
        if content is None:
            if time_is_up():
                continue
            options = each.options
            with open_run(
                each.directory, each.settings, split=options.split, checkpoint=options.checkpoint
            ) as run:
                _, content = each.score(run)
            print(f"tested: {each.file}", flush=True)
        contents.append(content)
    return Tested(test, contents, len(trials) - len(contents))


def _trial(options: TableOptions, test: Test, run: RunDirectory) -> Trial:
    scored = run.read_settings()["test_sequences"]
    sequences = min(scored, _MOST_SEQUENCES) if options.sequences is None else options.sequences
    words = [str(run.path), *test.options, "--sequences", str(sequences)]
    if options.devices:
        words += ["--device", options.devices[0]]
    return trial(parse(EvaluateOptions, EVALUATE, words), words)
