"""What a reader of a report should know first."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.report.page import Block, Note, Section, Text
from experiments.report.read_run import RunFiles
from experiments.report.wording import plural
from inference.diagnostics import PROBLEMS, find_problems, not_looked_for

__all__ = ["findings"]


def findings(run: RunFiles) -> Section:
    """Return what is suspicious, with advice, or that nothing is, and what was looked for."""
    return Section("findings", "Findings", tuple(_findings(run)))


def _findings(run: RunFiles) -> Iterator[Block]:
    if run.posterior is None:
        yield Note(
            "Nothing was checked",
            "The run was told to describe no posterior (--posterior-sequences 0), so there is "
            "nothing to look for collapse or contradiction in.",
            warning=True,
        )
        return
    found = find_problems(run.posterior)
    sequences = plural(run.summary["posterior_sequences"], "test sequence")
    for one in found:
        text = f"{_sentence(one.message)} Advice: {_sentence(one.advice)}"
        yield Note(_capital(one.name), text, warning=True)
    if not found:
        text = "No check found anything. That does not prove that the segmentation is right."
        yield Note("Nothing suspicious was found", text, warning=False)
    blind = not_looked_for(run.posterior)
    looked = [words for name, words in PROBLEMS.items() if name not in blind]
    if looked:
        yield Text(f"Looked for in the posterior of {sequences}: {', '.join(looked)}.")
    for reason in dict.fromkeys(blind.values()):
        words = ", ".join(PROBLEMS[name] for name, why in blind.items() if why == reason)
        yield Text(f"Not looked for, as {reason}: {words}.")


def _sentence(text: str) -> str:
    return f"{_capital(text)}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
