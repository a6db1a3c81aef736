"""What a reader of a report should know first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import xarray as xr

from experiments.report.page import Block, Note, Section, Text
from experiments.report.read_latent_run import LatentRun
from experiments.report.read_run import RunFiles
from experiments.report.wording import plural
from inference.diagnostics import (
    LATENT_PROBLEMS,
    PROBLEMS,
    Finding,
    find_latent_problems,
    find_problems,
    latents_not_looked_for,
    not_looked_for,
)

__all__ = ["findings", "latent_findings"]


class _Checks(NamedTuple):
    """What is looked for in a kind of posterior, and what the reader has to be told."""

    problems: Mapping[str, str]
    find: Callable[[xr.DataTree], list[Finding]]
    blind: Callable[[xr.DataTree], dict[str, str]]
    conclusion: str


_FRAMES = _Checks(PROBLEMS, find_problems, not_looked_for, "the segmentation is right")
_LATENTS = _Checks(
    LATENT_PROBLEMS, find_latent_problems, latents_not_looked_for, "the posterior is right"
)


def findings(run: RunFiles) -> Section:
    """Return what is suspicious, with advice, or that nothing is, and what was looked for."""
    described = plural(run.summary["posterior_sequences"], "test sequence")
    why = (
        "The run was told to describe no posterior (--posterior-sequences 0), so there is nothing "
        "to look for collapse or contradiction in."
    )
    return _section(_findings(run.posterior, _FRAMES, described, why))


def latent_findings(run: LatentRun) -> Section:
    """Return the same of a run on sequences or images."""
    described = plural(run.described, f"test {run.unit}")
    why = (
        f"The run was told to describe no posterior (--posterior-{run.unit}s 0), so there is "
        "nothing to look for collapse in."
        if run.has_latents
        else "The model has no latents, so it has no posterior that could collapse, and its "
        "likelihood is exact."
    )
    return _section(_findings(run.posterior, _LATENTS, described, why))


def _section(blocks: Iterator[Block]) -> Section:
    return Section("findings", "Findings", tuple(blocks))


def _findings(
    posterior: xr.DataTree | None, checks: _Checks, described: str, why: str
) -> Iterator[Block]:
    if posterior is None:
        yield Note("Nothing was checked", why, warning=True)
        return
    found = checks.find(posterior)
    blind = checks.blind(posterior)
    looked = [words for name, words in checks.problems.items() if name not in blind]
    for one in found:
        text = f"{_sentence(one.message)} Advice: {_sentence(one.advice)}"
        yield Note(_capital(one.name), text, warning=True)
    if not looked:
        yield Note("Nothing was checked", "No check could be made.", warning=True)
    elif not found:
        text = f"No check found anything. That does not prove that {checks.conclusion}."
        yield Note("Nothing suspicious was found", text, warning=False)
    if looked:
        yield Text(f"Looked for in the posterior of {described}: {', '.join(looked)}.")
    for reason in dict.fromkeys(blind.values()):
        words = ", ".join(checks.problems[name] for name, why in blind.items() if why == reason)
        yield Text(f"Not looked for, as {reason}: {words}.")


def _sentence(text: str) -> str:
    return f"{_capital(text)}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
