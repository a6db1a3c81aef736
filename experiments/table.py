"""Make a table of the paper's experiments: ``python -m experiments.table flying_shapes``."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from experiments.cli import INTERRUPTED, provenance, run_command
from experiments.scale import tables_folder
from experiments.sweeping.grid import GridPoint, expand, split_arguments, to_axes
from experiments.sweeping.options import SweepOptions
from experiments.sweeping.run_points import intention, run_name, run_points
from experiments.sweeping.run_state import run_state
from experiments.tables.bound_plans import BOUND_PLANS
from experiments.tables.kept_rows import write_joined
from experiments.tables.options import SectionName, TableOptions
from experiments.tables.plan import PLANS, TablePlan
from experiments.tables.posterior_rows import posterior_notes
from experiments.tables.rows import Section, make_section
from experiments.tables.trials import intended, plan_tests, score
from pyro_nem.errors import CheckpointError, ConfigError
from pyro_nem.plots import save_figure, seed_curves

__all__ = ["OUT_OF_TIME", "OWN", "main"]

OUT_OF_TIME = 3
"""Exit code when ``--minutes`` were over before the table was complete."""

OWN = {"--help", *("--" + field.name.replace("_", "-") for field in fields(TableOptions))}
"""Its own options; others are those of experiments.run."""

_PROGRAM = "experiments.table"

Points = Mapping[str, Sequence[GridPoint]]
"""Setting -> its runs, one a seed."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0 when the table is complete, 1 when some runs are not finished or tests are refused, 2 after
    an error, 3 when the time was up, 130 after Ctrl-C or SIGTERM.
    """
    given = sys.argv[1:] if arguments is None else arguments
    own, passed = split_arguments(given, OWN)
    return run_command(TableOptions, lambda options: _run(options, passed, given), _PROGRAM, own)


def _run(options: TableOptions, passed: Sequence[str], arguments: Sequence[str]) -> int:
    began = time.monotonic()

    def time_is_up() -> bool:
        return options.minutes is not None and time.monotonic() - began > 60.0 * options.minutes

    plan = {**PLANS, **BOUND_PLANS}[options.table]
    sections = _sections(options, plan)
    points = _points(options, plan, sections, _passed(plan, passed))
    # As in a sweep, each setting gets its first seed before any gets its second.
    every = sorted(itertools.chain(*points.values()), key=lambda p: p.settings.training.seed)
    sweep = SweepOptions(
        plan.experiment, jobs=options.jobs, threads=options.threads, devices=options.devices
    )
    if options.dry_run:
        _list(options, plan, sections, points, sweep)
        return 0
    outcomes = {each.name: each.state for each in run_points(every, sweep, time_is_up=time_is_up)}
    missing: dict[str, str] = {
        name: outcomes.get(name, "interrupted")
        for name in map(run_name, every)
        if outcomes.get(name) != "finished"
    }
    runs = {
        name: [point.directory for point in each if run_name(point) not in missing]
        for name, each in points.items()
    }
    runs = {name: each for name, each in runs.items() if each}
    if "interrupted" in missing.values() and not time_is_up():
        return _say(missing, INTERRUPTED)
    source = provenance(_PROGRAM, arguments, "cpu")
    output = options.output or tables_folder(point.settings.scale for point in every)
    text, untested = "", 0
    for name in sections:
        tested = [
            score(options, test, runs, time_is_up) for test in plan_tests(options, plan, name)
        ]
        untested += sum(each.left for each in tested)
        missing.update((words, "refused") for each in tested for words in each.refused)
        section = make_section(name, plan, runs, tested, source)
        if section is not None:
            # At once, since tests of later sections may take long, or fail.
            text = _write(output, plan, name, section)
    if text:
        print(text)
        print(f"in {output}: {plan.file}.md, .csv, .json and figures")
    if untested:
        missing[f"{untested} tests"] = "interrupted"
    if not missing:
        return 0
    return _say(missing, OUT_OF_TIME if time_is_up() else 1)


def _sections(options: TableOptions, plan: TablePlan) -> tuple[SectionName, ...]:
    unknown = [section for section in options.only if section not in plan.sections()]
    if unknown:
        raise ConfigError(
            f"--only: the table {options.table} has no section {unknown[0]}; it has "
            f"{', '.join(plan.sections())}"
        )
    if options.sequences is not None and plan.sections() == ("main",):
        raise ConfigError(
            f"--sequences: the table {options.table} has the scores of its runs only; leave it out"
        )
    return tuple(name for name in plan.sections() if name in options.only or not options.only)


def _passed(plan: TablePlan, words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the options of experiments.run that hold for all runs.

    Raises
    ------
    ConfigError
        If one is unknown, has several values, or is what the table itself varies.
    """
    passed = to_axes(plan.experiment, words, OWN)
    varied = {"--seed", *plan.varied()}
    for name, values in passed.items():
        if name in varied:
            advice = "use --seeds" if name == "--seed" else "the table has values of its own"
            raise ConfigError(f"{name}: is what the runs of a table differ in; {advice}")
        if len(values) > 1:
            raise ConfigError(
                f"{name}: expected one value for all runs of the table, got {', '.join(values)}; "
                "make a table of each, with its own --output"
            )
    return passed


def _points(
    options: TableOptions,
    plan: TablePlan,
    sections: Sequence[SectionName],
    passed: Mapping[str, Sequence[str]],
) -> dict[str, list[GridPoint]]:
    """Return the runs that the sections are made from, by setting.

    Raises
    ------
    ConfigError
        If the options do not go with a setting, or two settings would share a folder.
    """
    needed = {name for section in sections for name in plan.needed(section)}
    given = {**passed, "--seed": tuple(map(str, range(options.seeds)))}
    if options.scale is not None:
        given["--scale"] = (options.scale,)
    device = next(iter(options.devices), None)
    points = {}
    for name, axes in plan.settings.items():
        if name not in needed:
            continue
        try:
            points[name] = expand(plan.experiment, {**axes, **given}, device, _PROGRAM)
        except ConfigError as error:
            raise ConfigError(f"the setting {name} of this table, {error}") from error
    owners: dict[Path, str] = {}
    for name, each in points.items():
        for point in each:
            owner = owners.setdefault(point.directory.path, name)
            if owner != name:
                raise ConfigError(
                    f"the settings {owner} and {name} of the table {options.table} would share the "
                    f"folder {point.directory.path}; leave out the option that makes them the same"
                )
    return points


def _write(output: Path, plan: TablePlan, name: SectionName, section: Section) -> str:
    """Write a section beside what was there before; return all of it as Markdown."""
    curves, notes = section.curves, posterior_notes(section.rows)
    if curves is None or not curves.scores:
        return write_joined(section.rows, output, plan.file, notes | {name: section.note})
    file = f"{plan.file}_{name}.png"
    over = "steps" if curves.updates is None else "updates"
    note = f"{section.note}\n\n![{curves.label}, over {over}]({file})"
    text = write_joined(section.rows, output, plan.file, notes | {name: note})
    save_figure(seed_curves(*curves), output / file)
    return text


def _list(
    options: TableOptions,
    plan: TablePlan,
    sections: Sequence[SectionName],
    points: Points,
    sweep: SweepOptions,
) -> None:
    """Print what would be run and tested."""
    for each in points.values():
        for point in each:
            print(intention(point, sweep))
    finished = {
        name: [point.directory for point in each if _is_finished(point)]
        for name, each in points.items()
    }
    for test in (test for section in sections for test in plan_tests(options, plan, section)):
        for line in intended(options, test, finished):
            print(line)
        if waiting := len(points[test.trained]) - len(finished[test.trained]):
            print(f"{'waiting':<13}{test.trained}, tested with {test.conditions}: {waiting} runs")


def _is_finished(point: GridPoint) -> bool:
    try:
        return run_state(point.settings, point.directory) == "finished"
    except CheckpointError:
        # The list of runs has told of it.
        return False


def _say(missing: Mapping[str, str], code: int) -> int:
    for name, state in missing.items():
        print(f"{state}: {name}", file=sys.stderr)
    if code == OUT_OF_TIME:
        print("the time is up", file=sys.stderr)
    if {"interrupted", "busy"} & set(missing.values()):
        print("the same command goes on with what is interrupted or busy", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
