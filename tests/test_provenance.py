"""Results name the commits and commands that made them."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from experiments import benchmark
from experiments.cli import parse
from experiments.frames.evaluate_options import EvaluateOptions
from experiments.frames.released import WEIGHTS
from experiments.images.evaluate import ImageEvaluateOptions
from experiments.images.sweep import ImageSweepOptions
from experiments.kinds import kind_of
from experiments.rollout import RolloutOptions
from experiments.sequences.evaluate import SequenceEvaluateOptions
from experiments.sweeping.grid import split_arguments, to_axes
from experiments.table import OWN
from experiments.tables.bound_plans import BOUND_PLANS
from experiments.tables.options import TableOptions
from experiments.tables.plan import PLANS

ROOT = Path(__file__).parents[1]


def git(*arguments):
    return subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
    )


def test_results_come_from_commits_of_this_history():
    if git("rev-parse", "--is-shallow-repository").stdout.strip() != "false":
        pytest.skip("needs the whole history, which is not here")
    named = {
        (path.name, commit)
        for path in sorted((ROOT / "docs" / "results").rglob("*.json"))
        for field in re.findall(r'"commit": "([^"]+)"', path.read_text(encoding="utf-8"))
        for commit in re.findall(r"[0-9a-f]{40}", field)
    }
    assert len(named) > 10
    strange = [
        (name, commit)
        for name, commit in sorted(named)
        if git("merge-base", "--is-ancestor", commit, "HEAD").returncode
    ]
    assert strange == []


PROGRAMS = {
    "experiments.evaluate": EvaluateOptions,
    "experiments.images.evaluate": ImageEvaluateOptions,
    "experiments.images.sweep": ImageSweepOptions,
    "experiments.sequences.evaluate": SequenceEvaluateOptions,
    "experiments.rollout": RolloutOptions,
    "experiments.benchmark": benchmark.Options,
}


def recorded_commands():
    """Return the commands of all results, in parts where one is of several."""
    return sorted(
        {
            part
            for path in (ROOT / "docs" / "results").rglob("*.json")
            for command in re.findall(r'"command": "([^"]+)"', path.read_text(encoding="utf-8"))
            for part in command.split("; ")
        }
    )


@pytest.mark.parametrize("command", recorded_commands())
def test_recorded_commands_can_be_repeated(command):
    python, _, program, *arguments = shlex.split(command)
    assert python == "python"
    if program == "experiments.run":
        parse(kind_of(arguments[0]).options, program, arguments)
    elif program == "experiments.table":
        own, passed = split_arguments(arguments, OWN)
        plan = {**PLANS, **BOUND_PLANS}[parse(TableOptions, program, own).table]
        to_axes(plan.experiment, passed, OWN)
    else:
        parse(PROGRAMS[program], program, arguments)


def test_recorded_commands_name_no_folder_of_one_machine():
    cards = [path.read_text(encoding="utf-8") for path in WEIGHTS.glob("*.md")]
    commands = [*recorded_commands(), *re.findall(r"`(python -m [^`]+)`", "\n".join(cards))]
    assert len(commands) > 30
    assert [command for command in commands if re.search(r"[ =]/", command)] == []
