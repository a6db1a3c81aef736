"""Options that take one of several words."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest

from experiments import sweep, table
from experiments.cli import Choice, parse

Size = Literal["small", "large", 3]


@dataclass(frozen=True)
class Options:
    """Some options."""

    size: Annotated[Size | None, Choice] = None
    """One, or none."""

    sizes: tuple[Size, ...] = ("small",)
    """Several."""


def refusal(action, capsys):
    with pytest.raises(SystemExit, match="2"):
        action()
    return re.sub(r"[│\s]+", " ", capsys.readouterr().err)


def test_words_are_read_as_values():
    assert parse(Options, "command", []) == Options()
    assert parse(Options, "command", ["--size", "3"]) == Options(3)
    words = ["--size", "small", "--sizes", "large", "3"]
    assert parse(Options, "command", words) == Options("small", ("large", 3))


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["--size", "smal"], "got 'smal'; did you mean small? "),
        (["--size", "None"], "got 'None' "),
        (["--sizes", "small", "lorge"], "got 'lorge'; did you mean large? "),
    ],
)
def test_other_words_are_refused_with_all_that_are_known(capsys, words, advice):
    said = refusal(lambda: parse(Options, "command", words), capsys)
    assert f"{words[0]}: expected one of small, large, 3, {advice}" in said


def test_help_lists_the_words_that_may_be_typed(capsys):
    with pytest.raises(SystemExit, match="0"):
        parse(Options, "command", ["--help"])
    printed = capsys.readouterr().out
    assert "--size {small,large,3} " in printed
    assert "None" not in printed


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [
        (sweep, ["flying_shape"], "got 'flying_shape'; did you mean flying_shapes?"),
        (sweep, ["flying_shapes", "--guide", "rnnem"], "--guide: expected one of n-em, rnn-em,"),
        (table, ["flying_shape"], "got 'flying_shape'; did you mean flying_shapes?"),
        (table, ["static", "--only", "man"], "got 'man'; did you mean main?"),
    ],
)
def test_commands_suggest_what_was_meant(capsys, command, words, said):
    assert said in refusal(lambda: command.main(words), capsys)
