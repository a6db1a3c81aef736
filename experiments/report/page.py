"""The parts of a report, and how they become HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = [
    "Block",
    "Code",
    "Note",
    "Page",
    "Picture",
    "Section",
    "Sounds",
    "Table",
    "Text",
    "render",
]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Code:
    """A command line."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Note:
    """Something that a reader has to know; a ``warning`` asks for action."""

    kind: ClassVar[str] = "note"
    title: str
    text: str
    warning: bool


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows; an empty ``head`` means that it has none."""

    kind: ClassVar[str] = "table"
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """An image as a data URI; ``alt`` says what it shows, ``caption`` how to read it.

    One that is not ``wide`` is no wider than a line of text.
    """

    kind: ClassVar[str] = "picture"
    source: str
    alt: str
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Sounds:
    """Sounds to play: what each is, and its data URI."""

    kind: ClassVar[str] = "sounds"
    sounds: Sequence[tuple[str, str]]


Block = Text | Code | Note | Table | Picture | Sounds


@dataclass(frozen=True)
class Section:
    """A part of the page with a title; ``name`` is what links point to."""

    name: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A whole report."""

    title: str
    summary: str
    sections: Sequence[Section]


def render(page: Page) -> str:
    """Return a page as HTML; all text is escaped."""
    environment = Environment(
        loader=PackageLoader("experiments.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("template.html").render(page=page)
