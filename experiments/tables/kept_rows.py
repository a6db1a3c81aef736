"""Rows of a table that was written before, joined with new ones."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from experiments.tables.result_rows import ResultRow
from pyro_nem.errors import ConfigError

__all__ = ["joined_rows", "read_rows"]


def read_rows(path: Path) -> list[ResultRow]:
    """Return the rows of a JSON file that :func:`write_tables` wrote; none if it is not there.

    Raises
    ------
    ConfigError
        If it holds something else.
    """
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return [ResultRow(**row) for row in content["rows"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path}: expected the rows of a table of this version, but {error!r}; move it away, "
            "or choose another --output"
        ) from error


def joined_rows(kept: Sequence[ResultRow], new: Sequence[ResultRow]) -> list[ResultRow]:
    """Return the rows of both; where they are of one setting, a row with the seeds of both.

    Of a seed that both have, the new value counts.
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
