"""How large an experiment is, the seed of its tests, and where tables go."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

__all__ = ["TEST_SEED", "Scale", "tables_folder"]

Scale = Literal["smoke", "laptop", "paper"]

TEST_SEED = 2**31
"""Seed of what is drawn in tests, or added to a training's own: another than any training has."""


def tables_folder(scales: Iterable[str]) -> Path:
    """Return where tables of runs of such scales go, if nobody says where.

    ``docs/results``, which is published; with runs at the smoke scale ``runs/tables``.
    """
    return Path("runs/tables" if "smoke" in scales else "docs/results")
