"""Numbers as a reader wants them, those that are none included."""

from __future__ import annotations

import math

from inference import duration

__all__ = ["first", "interval", "margin", "number", "plural", "time_span"]

# Of a normal law, the interval that holds 95 %.
_WIDTH = 1.96


def number(value: float | None, digits: int, unknown: str) -> str:
    """Return a number with so many decimals, or what it means that there is none.

    Parameters
    ----------
    value
        NaN or None, as JSON has it, if not defined.
    digits
        Decimals.
    unknown
        What it then means.
    """
    if value is None or math.isnan(value):
        return unknown
    if math.isinf(value):
        return "infinitely large" if value > 0 else "infinitely small"
    return f"{value:,.{digits}f}"


def interval(mean: float | None, error: float | None, digits: int) -> str:
    """Return the 95 % interval of a mean from its standard error, or why there is none."""
    if mean is None or math.isnan(mean):
        return "none"
    if error is None or math.isnan(error):
        return "none: there is a single value"
    low, high = (number(mean + side * margin(error), digits, "none") for side in (-1, 1))
    return f"{low} to {high}"


def margin(error: float | None) -> float:
    """Return half the width of a 95 % interval from a standard error; NaN for None."""
    return math.nan if error is None else _WIDTH * error


def plural(count: int, one: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {one}" + ("" if count == 1 else "s")


def first(count: int, one: str) -> str:
    """Return the words for the first few of many."""
    return f"the first {one}" if count == 1 else f"the first {plural(count, one)}"


def time_span(seconds: float) -> str:
    """Return a time span with its unit."""
    return f"{duration(seconds)} {'h' if round(seconds) >= 3600 else 'min'}"
