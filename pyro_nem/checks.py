"""Checks of arguments."""

from __future__ import annotations

from numbers import Integral
from typing import Any, get_args

from pyro_nem.errors import ConfigError

__all__ = ["at_least", "is_whole", "one_of", "whole_image_shape"]


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


def is_whole(value: object, smallest: int) -> bool:
    """Return whether a value is a whole number, of any library, and at least so large."""
    return isinstance(value, Integral) and int(value) >= smallest


def whole_image_shape(image_shape: Any) -> tuple[int, int, int]:
    """Return rows, columns and channels of images after checking that they are that.

    Raises
    ------
    ConfigError
        If they are not three whole numbers from 1.
    """
    sizes = tuple(image_shape) if isinstance(image_shape, (tuple, list)) else ()
    if len(sizes) != 3 or not all(is_whole(size, 1) for size in sizes):
        raise ConfigError(
            "image_shape: expected (rows, columns, channels), such as (28, 28, 1), got "
            f"{image_shape!r}"
        )
    return sizes


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
