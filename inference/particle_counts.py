"""Numbers of draws, one or several."""

from __future__ import annotations

from collections.abc import Sequence

from pyro_nem.checks import at_least

__all__ = ["particle_counts"]


def particle_counts(particles: int | Sequence[int]) -> tuple[int, ...]:
    """Return numbers of draws as a tuple, a single one too.

    Raises
    ------
    ConfigError
        If one is below 1.
    """
    counts = (particles,) if isinstance(particles, int) else tuple(particles)
    for count in counts:
        at_least(1, particles=count)
    return counts
