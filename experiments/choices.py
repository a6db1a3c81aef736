"""Options that take one of several words: how they are read, and refused with a suggestion."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, Union, get_args, get_origin

from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

__all__ = ["CHOICES", "did_you_mean"]

CHOICES: Final = ConstructorRegistry()
"""Within it, tyro reads a word of a ``Literal`` that may be left out as one of its words, and not
as None, lists the words in the order in which they are declared, and suggests the closest."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean ...?" with what is closest to a word, or "" if nothing is close."""
    close = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {close[0]}?" if close else ""


@CHOICES.primitive_rule
def _one(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """Read ``Literal[...]`` and ``Literal[...] | None``."""
    optional = get_origin(info.type) in (types.UnionType, Union)
    parts = [part for part in get_args(info.type) if part is not type(None)]
    literal = parts[0] if optional and len(parts) == 1 else info.type
    if get_origin(literal) is not Literal:
        return None
    values = _by_word(literal)
    # tyro checks its own list of choices before it reads, which leaves no place for advice.
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=_metavar(values),
        instance_from_str=lambda words: _read(words[0], values),
        is_instance=lambda value: value in values.values() or (optional and value is None),
        str_from_instance=lambda value: [str(value)],
    )


@CHOICES.primitive_rule
def _several(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """Read ``tuple[Literal[...], ...]``."""
    parts = get_args(info.type)
    if get_origin(info.type) is not tuple or len(parts) != 2 or parts[1] is not Ellipsis:
        return None
    if get_origin(parts[0]) is not Literal:
        return None
    values = _by_word(parts[0])
    return PrimitiveConstructorSpec(
        nargs="*",
        metavar=f"[{_metavar(values)} [...]]",
        instance_from_str=lambda words: tuple(_read(word, values) for word in words),
        is_instance=lambda value: isinstance(value, tuple) and set(value) <= set(values.values()),
        str_from_instance=lambda value: [str(each) for each in value],
    )


def _by_word(literal: Any) -> dict[str, Any]:
    return {str(value): value for value in get_args(literal)}


def _metavar(values: Mapping[str, Any]) -> str:
    return "{" + ",".join(values) + "}"


def _read(word: str, values: Mapping[str, Any]) -> Any:
    if word not in values:
        # tyro shows a ValueError with the option's name and help.
        raise ValueError(
            f"expected one of {', '.join(values)}, got {word!r}{did_you_mean(word, values)}"
        )
    return values[word]
