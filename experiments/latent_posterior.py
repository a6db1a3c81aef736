"""The posterior that a run on sequences or images leaves: ``posterior.nc``."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from inference.diagnostics import find_latent_problems, write_posterior

__all__ = ["keep_posterior"]


def keep_posterior(tree: xr.DataTree, path: Path) -> None:
    """Write a posterior, and print what to look at."""
    write_posterior(tree, path)
    for finding in find_latent_problems(tree):
        print(f"{finding.name}: {finding.message}; {finding.advice}")
