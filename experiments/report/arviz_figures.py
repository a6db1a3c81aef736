"""Plots of ArviZ, on figures of ours.

They are drawn on axes that are given to them, so no figure is left with pyplot.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from inference.diagnostics import UNRELIABLE
from inference.diagnostics.schema import variable
from pyro_nem.errors import StorageError
from pyro_nem.plots.style import BLUE, ORANGE, tidy

__all__ = ["brightness_figure", "k_hat_figure", "rank_figure"]

_REPLICATES = 100


@contextlib.contextmanager
def _arviz() -> Iterator[Any]:
    """Give ArviZ, and hide that 0.23 uses what others will remove; our pins keep it there.

    Raises
    ------
    StorageError
        If the system refuses ArviZ its cache folder.
    """
    with warnings.catch_warnings():
        # The first import of a day announces ArviZ 1. Where warnings are errors, the note that this
        # was done today would never be written, and each import would fail.
        warnings.filterwarnings("ignore", message="\nArviZ is undergoing a major refactor")
        warnings.filterwarnings("ignore", message="Passing a dict or None as alias_mapping")
        warnings.filterwarnings("ignore", message="support for DataArrays will be deprecated")
        try:
            import arviz
        except OSError as error:
            raise StorageError(
                f"ArviZ, which draws figures of the report, cannot be imported: {error}; if it "
                "names its cache folder, set XDG_CACHE_HOME to one that can be written, then make "
                "the report with experiments.report"
            ) from error
        yield arviz


def k_hat_figure(values: xr.DataArray, unit: str = "sequence") -> Figure:
    """Draw k-hat by sequence or image (``arviz.plot_khat``).

    Parameters
    ----------
    values
        k-hat, (sequence,) or (image,); those that are not finite are left out.
    unit
        Which of the two.
    """
    figure = Figure(figsize=(6.5, 3.4), dpi=150, facecolor="white", layout="constrained")
    axes = figure.subplots()
    with _arviz() as arviz:
        arviz.plot_khat(
            values.where(np.isfinite(values)), ax=axes, color=BLUE, markersize=18, textsize=9
        )
    axes.axhline(UNRELIABLE, color="black", linestyle="--", linewidth=1)
    axes.set(xlabel=f"test {unit}", ylabel="k-hat")
    tidy(axes, f"k-hat of each {unit}; not reliable above {UNRELIABLE}")
    return figure


def rank_figure(tree: xr.DataTree, sequences: list[int]) -> Figure:
    """Draw the ranks of the effective components of sequences (``arviz.plot_rank``).

    Parameters
    ----------
    tree
        What :func:`inference.diagnose` returned.
    sequences
        Numbers of the sequences, a panel each.
    """
    values = variable(tree, "sample_stats/effective_components")  # (chain, draw, sequence)
    names = {f"sequence {n}": values.sel(sequence=n, drop=True) for n in sequences}
    figure = Figure(
        figsize=(4.2 * len(names), 3.2), dpi=150, facecolor="white", layout="constrained"
    )
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    with _arviz() as arviz:
        arviz.plot_rank(arviz.InferenceData(posterior=xr.Dataset(names)), ax=panels, colors=BLUE)
    for axes, name in zip(panels, names, strict=True):
        # ArviZ puts the name in the middle.
        axes.set(title="", xlabel="rank among the draws of all restarts", ylabel="restart")
        restarts = [str(chain + 1) for chain in range(values.sizes["chain"])]
        axes.set_yticks(axes.get_yticks()[: len(restarts)], restarts)
        tidy(axes, name)
    return figure


def brightness_figure(tree: xr.DataTree) -> Figure:
    """Compare the brightness of replicated frames with that of real ones (``arviz.plot_ppc``).

    A frame's brightness is the mean of its pixels. Only last frames count: at the first steps no
    guide knows the objects.
    """
    pixels = ("row", "column", "channel")
    replicated = _last(tree, "posterior_predictive/x").mean(pixels)
    observed = _last(tree, "observed_data/x").mean(pixels)
    number = min(_REPLICATES, replicated.sizes["chain"] * replicated.sizes["draw"])
    figure = Figure(figsize=(6.5, 3.4), dpi=150, facecolor="white", layout="constrained")
    axes = figure.subplots()
    with _arviz() as arviz:
        data = arviz.InferenceData(
            posterior_predictive=xr.Dataset({"brightness": replicated}),
            observed_data=xr.Dataset({"brightness": observed}),
        )
        arviz.plot_ppc(
            data,
            kind="cumulative",
            num_pp_samples=number,
            random_seed=0,
            ax=axes,
            textsize=9,
            colors=[BLUE, "black", ORANGE],
        )
    axes.set(xlabel="mean pixel of a frame", ylabel="share of the frames below")
    tidy(axes, "brightness of frames, replicated and real")
    return figure


def _last(tree: xr.DataTree, path: str) -> xr.DataArray:
    return variable(tree, path).isel(shown_step=-1)
