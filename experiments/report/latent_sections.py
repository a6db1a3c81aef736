"""What the posterior of sequences or images says, and whether it can be trusted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from experiments.report.embedding import embedded
from experiments.report.page import Block, Picture, Section, Table, Text
from experiments.report.read_latent_run import LatentRun
from experiments.report.weights import weights
from experiments.report.wording import interval, margin, number, plural
from inference.diagnostics import ACTIVE, active_latents, bound_tightness, effective_draws
from inference.diagnostics.schema import variable
from pyro_nem.metrics import standard_errors
from pyro_nem.plots import StepCurve, activity_figure, step_curves

__all__ = ["latent_sections"]


def latent_sections(run: LatentRun) -> tuple[Section, ...]:
    """Return the sections that ``posterior.nc`` is needed for; one sentence without it."""
    tree = run.posterior
    if tree is None:
        text = (
            f"The run wrote no posterior.nc (--posterior-{run.unit}s 0)."
            if run.has_latents
            else "The run wrote no posterior.nc: its model has no latents."
        )
        return (Section("posterior", "Posterior", (Text(text),)),)
    return (
        Section("weights", "Importance weights", tuple(_weights(tree, run.unit))),
        Section("tightness", "Tightness of the bound", tuple(_tightness(tree, run.unit))),
        Section("latents", "Latents", tuple(_latents(tree, run.unit))),
    )


def _weights(tree: xr.DataTree, unit: str) -> Iterator[Block]:
    yield from weights(tree, "z", unit)
    sizes = variable(tree, "sample_stats/log_weight").sizes
    effective = effective_draws(tree)
    draws = sizes["chain"] * sizes["draw"]
    yield Text(
        f"The weights of {draws:,} draws of the median {unit} are worth "
        f"{number(float(effective.median()), 1, 'none')} draws of equal weight, of the worst "
        f"{number(float(effective.min()), 1, 'none')}."
    )


def _tightness(tree: xr.DataTree, unit: str) -> Iterator[Block]:
    gap = bound_tightness(tree)["gap"].values
    mean, error = float(gap.mean()), float(standard_errors(gap))
    yield Table(
        f"IWAE less ELBO, nats, over {plural(gap.size, unit)}",
        ("mean", "95 % interval", "median", "largest"),
        [
            (
                number(mean, 2, "none"),
                interval(mean, error, 2),
                number(float(np.median(gap)), 2, "none"),
                number(float(gap.max()), 2, "none"),
            )
        ],
    )
    yield Text(
        "At most the KL of the guide from the posterior, and nearer to it with more draws: what "
        "the guide loses by its form and its network. It is too small where k-hat is large."
    )


def _latents(tree: xr.DataTree, unit: str) -> Iterator[Block]:
    found = active_latents(tree)
    known = {name: found.covariances[name].values for name in found.active}
    if known:
        counts = [f"{found.active[name]} of {len(known[name])} of {name}" for name in known]
        yield Picture(
            embedded(activity_figure(known, ACTIVE)),
            f"Variance of the posterior mean of each latent; active are {', '.join(counts)}.",
            f"A latent is active if its posterior mean varies from one {unit} to another by more "
            f"than {ACTIVE} (Burda et al. 2015)"
            + (
                "; the mean is taken from that of the prior, in its standard deviations, and the "
                "variance averaged over steps."
                if unit == "sequence"
                else "."
            ),
        )
    else:
        yield Text(f"There is too little to compare: a single chain, or a single {unit}.")
    kl = variable(tree, "sample_stats/kl").mean("chain")
    if unit == "image":
        mean, error = float(kl.mean()), float(standard_errors(kl.values))
        yield Text(
            f"KL of the guide from the prior: {number(mean, 2, 'none')} nats an image (95 % "
            f"interval: {interval(mean, error, 2)})."
        )
        return
    by_step = kl.transpose("step", "sequence").values  # [T, N], NaN behind an end
    margins = [margin(error) for error in standard_errors(by_step).tolist()]
    yield Picture(
        embedded(
            step_curves(
                {"KL": StepCurve(np.nanmean(by_step, 1).tolist(), margins)},
                "KL of the guide from the prior, nats a step",
            )
        ),
        f"KL over {plural(len(by_step), 'step')}, mean over the sequences that have the step.",
        "What the latents say at each step, with 95 % intervals over the sequences that have it.",
    )
