"""Checks of arguments."""

from __future__ import annotations

from typing import Any, get_args

from pyro_nem.errors import ConfigError

__all__ = ["at_least", "one_of"]


def at_least(smallest: int, **values: float | None) -> None:
    """Check numbers by name; None stands for one that was not given.

    Raises
    ------
    ConfigError
        If one is smaller, or NaN.
    """
    for name, value in values.items():
        if value is not None and not value >= smallest:
            raise ConfigError(f"{name}: expected at least {smallest}, got {value}")


def one_of(known: Any, **values: object) -> None:
    """Check names; those that are known are given as a Literal or a tuple.

    Raises
    ------
    ConfigError
        If one is not known.
    """
    names = known if isinstance(known, tuple) else get_args(known)
    for name, value in values.items():
        if value not in names:
            raise ConfigError(f"{name}: expected one of {', '.join(names)}, got {value!r}")
