"""How large an experiment is, and the seed of its tests."""

from __future__ import annotations

from typing import Literal

__all__ = ["TEST_SEED", "Scale"]

Scale = Literal["smoke", "laptop", "paper"]

TEST_SEED = 2**31
"""Of noise and first responsibilities in tests: another one than that of any training."""
