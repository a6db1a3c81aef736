"""What the posterior says of a few sequences, and whether it can be trusted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from experiments.report.arviz_figures import brightness_figure, rank_figure
from experiments.report.embedding import embedded
from experiments.report.page import Block, Picture, Section, Table, Text
from experiments.report.read_run import RunFiles
from experiments.report.weights import weights
from experiments.report.wording import first, number, plural
from inference.diagnostics import (
    Agreement,
    aligned_gamma,
    co_assignment_calibration,
    largest_by_chance,
    restart_agreement,
)
from inference.diagnostics.schema import variable
from pyro_nem.plots import RestartSample, reliability_diagram, uncertainty_figure

__all__ = ["posterior_sections"]

_QUANTITIES = (
    ("log_likelihood", "log-likelihood of a sequence, nats", 2),
    ("effective_components", "effective number of components", 3),
    ("co_assignment", "whether two pixels belong together", 3),
)


def posterior_sections(run: RunFiles) -> tuple[Section, ...]:
    """Return the sections that ``posterior.nc`` is needed for; one sentence without it."""
    tree = run.posterior
    if tree is None:
        text = "The run wrote no posterior.nc (--posterior-sequences 0)."
        return (Section("posterior", "Posterior", (Text(text),)),)
    return (
        Section("uncertainty", "Uncertain pixels", tuple(_uncertainty(tree))),
        Section("restarts", "Restarts", tuple(_restarts(tree))),
        Section("calibration", "Calibration", tuple(_calibration(tree))),
        Section("weights", "Importance weights", tuple(weights(tree))),
        Section("replicated", "Replicated frames", tuple(_replicated(tree))),
    )


def _uncertainty(tree: xr.DataTree) -> Iterator[Block]:
    frames = variable(tree, "observed_data/x")
    if frames.sizes["channel"] not in (1, 3):
        yield Text("Only frames of 1 or 3 channels can be drawn, and these have others.")
        return
    gamma = aligned_gamma(tree).transpose("shown_sequence", "shown_step", "chain", "component", ...)
    labels = variable(tree, "constant_data/group") if tree.attrs["labels"] else None
    samples = [
        RestartSample(
            frames.values[b, -1],
            gamma.values[b, -1],
            None if labels is None else labels.values[b, -1],
            f"sequence {b}",
        )
        for b in range(frames.sizes["shown_sequence"])
    ]
    shown = first(len(samples), "test sequence")
    yield Picture(
        embedded(uncertainty_figure(samples)),
        f"Last frame of {shown}: true objects, the assignment of each restart, and two maps that "
        "show which pixels are uncertain.",
        f"The last frame of {shown}. Left map: entropy of the assignment, mean over "
        "restarts. Right map: how much more entropy their mean has, which is 0 where restarts "
        "agree. Both as a share of log K, that of a guess. Where true objects are known, pixels of "
        "none or several of them are grey; elsewhere background that every component explains "
        "equally well is uncertain, as it should be. Components of the restarts are matched with "
        "those of the first one, for display only: where restarts differ, no matching is right.",
        wide=True,
    )


def _restarts(tree: xr.DataTree) -> Iterator[Block]:
    sizes = variable(tree, "sample_stats/log_weight").sizes
    agreement = restart_agreement(tree)
    apart = largest_by_chance(sizes["draw"])
    each = f"{plural(sizes['chain'], 'restart')} of {plural(sizes['draw'], 'draw')}"
    yield Table(
        f"{each} for each of {plural(sizes['sequence'], 'test sequence')}",
        (
            "",
            "R-hat, median",
            "largest",
            f"above {apart:g}",
            "none: all draws are equal",
            "none: no scored pixel",
            "infinite: draws differ only between restarts",
            "ESS, median",
            "difference of restarts, median",
            "largest",
        ),
        [_agreement(agreement, apart, *quantity) for quantity in _QUANTITIES],
    )
    yield Text(
        "A restart begins with other random responsibilities, on the same noisy frames. R-hat near "
        f"1 means that restarts cannot be told apart. With so many draws, those of restarts that "
        f"agree are rarely above {apart:g}. It compares "
        "with the spread of the draws, so where a guide is very sure it is large for differences "
        "that do not matter: the last columns say how large they are, as the largest minus the "
        "smallest mean of a restart. Draws are independent, so an effective number of them (ESS) "
        "far below theirs says the same as a large R-hat."
    )
    rhat = agreement.rhat["effective_components"]
    known = rhat[np.isfinite(rhat)]
    if not known.size:
        return
    ordered = known["sequence"].values[known.argsort()]
    chosen = dict.fromkeys(int(n) for n in (ordered[-1], ordered[len(ordered) // 2]))
    yield Picture(
        embedded(rank_figure(tree, list(chosen))),
        "Histograms of ranks, one for each restart.",
        "Ranks of the effective number of components: of the sequence with the largest R-hat, then "
        "of one in the middle. Even bars mean that restarts agree; bars that are high on one side "
        "mean that a restart uses more, or fewer, components than the others.",
        wide=True,
    )


def _agreement(
    found: Agreement, apart: float, name: str, words: str, digits: int
) -> tuple[str, ...]:
    rhat, ess, spread = (part[name].values.ravel() for part in found)
    finite = rhat[np.isfinite(rhat)]
    middle, largest = _median_and_largest(finite)
    usual, greatest = _median_and_largest(spread[~np.isnan(spread)])
    effective, _ = _median_and_largest(ess[~np.isnan(ess)])
    return (
        words,
        number(middle, 2, "none"),
        number(largest, 2, "none"),
        f"{(finite > apart).sum():,} of {finite.size:,}",
        f"{(np.isnan(rhat) & ~np.isnan(spread)).sum():,}",
        f"{np.isnan(spread).sum():,}",
        f"{np.isinf(rhat).sum():,}",
        number(effective, 0, "none: no spread within restarts"),
        number(usual, digits, "none: nothing to compare"),
        number(greatest, digits, "none: nothing to compare"),
    )


def _median_and_largest(values: NDArray[np.float64]) -> tuple[float, float]:
    return (float(np.median(values)), float(values.max())) if values.size else (np.nan, np.nan)


def _calibration(tree: xr.DataTree) -> Iterator[Block]:
    if not tree.attrs["labels"]:
        yield Text("The data have no true objects to compare with.")
        return
    found = co_assignment_calibration(tree)
    total = int(found.events.sum())
    if not total:
        yield Text("No sequence has two scored pixels in its last frame, so there are no pairs.")
        return
    yield Table(
        f"{plural(total, 'pair')} of scored pixels in last frames",
        (),
        [
            ("expected calibration error (ECE)", number(found.ece, 4, "none")),
            ("Brier score", number(found.brier, 4, "none")),
        ],
    )
    yield Picture(
        embedded(
            reliability_diagram(
                found.probability,
                found.frequency,
                found.error,
                found.events,
                "two pixels belong together",
            )
        ),
        f"Reliability diagram of {total:,} pairs with the number of pairs in each bin; expected "
        f"calibration error {found.ece:.3f}.",
        "Above the diagonal the guide splits objects, below it merges them. Pairs share pixels, so "
        "the true error bars are longer. The count has a logarithmic axis.",
    )


def _replicated(tree: xr.DataTree) -> Iterator[Block]:
    yield Picture(
        embedded(brightness_figure(tree)),
        "Cumulative distribution of the mean pixel of last frames, real and replicated.",
        "Last frames of the shown sequences, and frames drawn from the posterior of their states "
        "and assignments. A real curve outside the replicated ones means that the components draw "
        "too much or too little.",
    )
