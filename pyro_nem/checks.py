"""Checks of arguments."""

from __future__ import annotations

from pyro_nem.errors import ConfigError

__all__ = ["at_least"]


def at_least(smallest: int, **values: int | None) -> None:
    """Check whole numbers by name; None stands for one that was not given.

    Raises
    ------
    ConfigError
        If one is smaller.
    """
    for name, value in values.items():
        if value is not None and value < smallest:
            raise ConfigError(f"{name}: expected at least {smallest}, got {value}")
