"""Rows of a table that was written before, joined with new ones."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments.tables.result_rows import ResultRow, write_tables
from pyro_nem.errors import ConfigError

__all__ = ["joined_rows", "read_notes", "read_rows", "write_joined"]


def read_rows(path: Path) -> list[ResultRow]:
    """Return the rows of a JSON file that :func:`write_tables` wrote; none if it is not there.

    Raises
    ------
    ConfigError
        If it holds something else.
    """
    if not path.exists():
        return []
    return _read(path)[0]


def read_notes(path: Path) -> dict[str, str]:
    """Return the notes of such a file by section; see :func:`read_rows`."""
    if not path.exists():
        return {}
    return _read(path)[1]


def _read(path: Path) -> tuple[list[ResultRow], dict[str, str]]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return [ResultRow(**row) for row in content["rows"]], dict(content.get("notes", {}))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path}: expected the rows of a table of this version, but {error!r}; move it away, "
            "or choose another --output"
        ) from error


def write_joined(
    rows: Sequence[ResultRow], folder: Path, name: str, notes: Mapping[str, str]
) -> str:
    """Write rows as :func:`write_tables` does, with the rows and notes that were there before.

    Parameters
    ----------
    rows, folder, name
        As there. For which of old and new rows count see :func:`joined_rows`.
    notes
        In the place of those that were there for the same sections.

    Raises
    ------
    ConfigError
        If what is there is no table.
    StorageError
        If the system refuses to write.
    """
    path = folder / f"{name}.json"
    return write_tables(
        joined_rows(read_rows(path), rows), folder, name, {**read_notes(path), **notes}
    )


def joined_rows(kept: Sequence[ResultRow], new: Sequence[ResultRow]) -> list[ResultRow]:
    """Return the rows of both; where they are of one setting, a row with the seeds of both.

    Of a seed that both have, the new value counts, and so it does where there are no seeds.
    """
    found = {_key(row): row for row in kept}
    for row in new:
        old = found.get(_key(row))
        found[_key(row)] = row if old is None else _joined(old, row)
    return sorted(found.values(), key=lambda row: _sections(found.values()).index(row.section))


def _sections(rows: Iterable[ResultRow]) -> list[str]:
    return list(dict.fromkeys(row.section for row in rows))


def _key(row: ResultRow) -> tuple[str, ...]:
    return (row.experiment, row.section, row.setting, row.scale, row.network, row.metric)


def _joined(old: ResultRow, new: ResultRow) -> ResultRow:
    if not old.seeds or not new.seeds:
        return new
    values = dict(zip(old.seeds, old.values, strict=True))
    count = len(set(values) - set(new.seeds))
    if not count:
        return new
    values.update(zip(new.seeds, new.values, strict=True))
    seeds = sorted(values)
    first = old if seeds[0] in set(old.seeds) - set(new.seeds) else new
    errors = [row.error for row in (old, new) if row.error is not None]
    wall = (count * old.wall_seconds + len(new.seeds) * new.wall_seconds) / len(seeds)
    return replace(
        first,
        mean=statistics.mean(values.values()),
        std=statistics.stdev(values.values()) if len(values) > 1 else None,
        seeds=seeds,
        values=[values[seed] for seed in seeds],
        error=statistics.mean(errors) if errors else None,
        commit=_both(old.commit, new.commit),
        device=_both(old.device, new.device),
        wall_seconds=wall,
    )


def _both(old: str, new: str) -> str:
    return old if old == new else ", ".join(sorted({*old.split(", "), *new.split(", ")}))
