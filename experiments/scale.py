"""How large an experiment is, and the seed of its tests."""

from __future__ import annotations

from typing import Literal

__all__ = ["TEST_SEED", "Scale"]

Scale = Literal["smoke", "laptop", "paper"]

TEST_SEED = 2**31
"""Seed of what is drawn in tests, or added to a training's own: another than any training has."""
