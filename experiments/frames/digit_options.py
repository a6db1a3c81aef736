"""Checks of the options that only flying_mnist has."""

from __future__ import annotations

from experiments.frames.run_options import RunOptions
from pyro_nem.errors import ConfigError

__all__ = ["check_digits"]


def check_digits(options: RunOptions) -> None:
    """Check that variants of the digits are asked for where there are some.

    Raises
    ------
    ConfigError
        If they are not.
    """
    option = "--staged" if options.staged else "--variant"
    if options.variant is None and not options.staged:
        return
    if options.experiment != "flying_mnist":
        raise ConfigError(
            f"{option}: {options.experiment} has no digits; leave it out, or run flying_mnist"
        )
    if options.data is not None:
        raise ConfigError(
            f"{option}: describes generated data, but --data brings its own; leave one of them out"
        )
    if options.staged and options.variant not in (None, "full"):
        raise ConfigError(
            f"--staged: goes through all variants, but --variant {options.variant} asks for one; "
            "leave one of them out"
        )
