"""What a reader of a report should know first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from experiments.report.page import Block, Note, Section, Text
from experiments.report.read_run import RunFiles
from experiments.report.wording import plural
from inference.diagnostics import PROBLEMS, find_problems
from inference.diagnostics.schema import variable

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
    if np.isnan(variable(run.posterior, "sample_stats/component_share")).all():
        yield Note(
            "A collapse was not looked for",
            "The checks of components and their pixels count pixels whose true object is known, "
            "and there are none.",
            warning=True,
        )
    found = find_problems(run.posterior)
    sequences = plural(run.summary["posterior_sequences"], "test sequence")
    for one in found:
        text = f"{_sentence(one.message)} Advice: {_sentence(one.advice)}"
        yield Note(_capital(one.name), text, warning=True)
    if not found:
        text = "No check found anything. That does not prove that the segmentation is right."
        yield Note("Nothing suspicious was found", text, warning=False)
    yield Text(f"Looked for in the posterior of {sequences}: {', '.join(PROBLEMS.values())}.")


def _sentence(text: str) -> str:
    return f"{_capital(text)}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
