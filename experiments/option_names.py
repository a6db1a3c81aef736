"""Errors that name the options of a command where those of settings name fields."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Final

from pyro_nem.errors import ConfigError

__all__ = ["naming_options", "option_of"]

# Fields of settings -> the option of another name that sets them.
_SET_BY: Final = {
    "probability": "noise",
    "rows": "size",
    "columns": "size",
    "output": "law",
    "latent_sizes": "latent_size",
    "widths": "width",
}


def option_of(field: str) -> str:
    """Return what the field of the options is called that sets a field of settings."""
    return _SET_BY.get(field, field)


@contextlib.contextmanager
def naming_options(options: Any) -> Iterator[None]:
    """Let an error about fields of settings name the options that were typed.

    "kl_warmup, free_nats: ..." becomes "--kl-warmup, --free-nats: ..." where both are options.

    Parameters
    ----------
    options
        The dataclass of the options; those without a default are positional, and named as they are.
        Of several commands in one nothing is known, and errors pass as they are.
    """
    try:
        yield
    except ConfigError as error:
        known = {
            field.name
            for field in (fields(options) if is_dataclass(options) else ())
            if field.default is not MISSING or field.default_factory is not MISSING
        }
        named, colon, rest = str(error).partition(": ")
        names = [option_of(name) for name in named.split(", ")]
        if not known.issuperset(names):
            raise
        typed = ", ".join("--" + name.replace("_", "-") for name in names)
        raise type(error)(typed + colon + rest) from error
