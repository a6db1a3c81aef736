"""Rows of published tables, as JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pyro_nem.files import make_directory, replacing, write_json

__all__ = ["METRICS", "ResultRow", "to_csv", "to_markdown", "to_rows", "write_tables"]

METRICS = (
    "ami",
    "ami_last",
    "ari",
    "ari_last",
    "next_step_bce",
    "prior_bce",
    "collision_bce",
    "log_likelihood",
    "kl",
    "bound",
    "iwae",
    "iwae_elbo",
)
"""What a run's ``summary.json`` may have, in the order of tables."""


@dataclass(frozen=True)
class ResultRow:
    """One metric of one setting, a value a seed; ``paper`` is remembered and unchecked."""

    experiment: str
    setting: str
    scale: str
    network: str
    metric: str
    mean: float
    std: float | None
    seeds: list[int]
    values: list[float]
    paper: float | None
    command: str
    commit: str
    device: str
    wall_seconds: float
    section: str = "main"
    error: float | None = None
    """Standard error over the test set, mean over the seeds; None where none was kept."""


def to_rows(
    scores: Sequence[Mapping[str, Any]],
    *,
    experiment: str,
    setting: str,
    scale: str,
    network: str,
    metrics: Sequence[str] = METRICS,
    section: str = "main",
    paper: Mapping[str, float] | None = None,
) -> list[ResultRow]:
    """Return a row for each metric that all seeds of a setting have.

    Parameters
    ----------
    scores
        Of each seed what its JSON file holds: ``test.METRIC``, seed, command, commit, device and
        wall_seconds. What no training precedes has no seed.
    experiment, setting, scale, network, section
        As in the rows.
    metrics
        Their names and order.
    paper
        Figures to stand beside them, by metric.
    """
    rows = []
    for metric in metrics:
        values = [
            each[f"test.{metric}"] for each in scores if each.get(f"test.{metric}") is not None
        ]
        if len(values) < len(scores):
            # Data without labels have no segmentation scores, point masses no divergence.
            continue
        found = [each.get("errors", {}).get(metric) for each in scores]
        errors = [error for error in found if error is not None]
        rows.append(
            ResultRow(
                experiment=experiment,
                setting=setting,
                scale=scale,
                network=network,
                metric=f"test.{metric}",
                mean=statistics.mean(values),
                std=statistics.stdev(values) if len(values) > 1 else None,
                seeds=[int(each["seed"]) for each in scores if each.get("seed") is not None],
                values=values,
                paper=None if paper is None else paper.get(metric),
                command=scores[0]["command"],
                commit=", ".join(sorted({each["commit"] for each in scores})),
                device=", ".join(sorted({each["device"] for each in scores})),
                wall_seconds=statistics.mean(each["wall_seconds"] for each in scores),
                section=section,
                error=statistics.mean(errors) if len(errors) == len(scores) else None,
            )
        )
    return rows


def write_tables(
    rows: Sequence[ResultRow], folder: Path, name: str, notes: Mapping[str, str] | None = None
) -> str:
    """Write rows to NAME.json, NAME.csv and NAME.md in a folder; return them as Markdown.

    Parameters
    ----------
    rows
        Those of a section follow each other.
    folder, name
        Where to write.
    notes
        Markdown by section, to stand before its table.

    Raises
    ------
    StorageError
        If the system refuses to write.
    """
    make_directory(folder)
    content = {"notes": {} if notes is None else dict(notes), "rows": [asdict(row) for row in rows]}
    write_json(folder / f"{name}.json", content)
    table = to_markdown(rows, notes)
    for suffix, text in (("csv", to_csv(rows)), ("md", f"# {name}\n\n{table}")):
        with replacing(folder / f"{name}.{suffix}") as temporary:
            temporary.write_text(text, encoding="utf-8")
    return table


def to_csv(rows: Sequence[ResultRow]) -> str:
    """Return rows as CSV with a header; lists are separated by blanks, a missing value is empty."""
    buffer = io.StringIO()
    writer = csv.DictWriter(
        buffer, [field.name for field in fields(ResultRow)], lineterminator="\n"
    )
    writer.writeheader()
    for row in rows:
        lists = {name: " ".join(map(str, getattr(row, name))) for name in ("seeds", "values")}
        writer.writerow({**asdict(row), **lists})
    return buffer.getvalue()


def to_markdown(rows: Sequence[ResultRow], notes: Mapping[str, str] | None = None) -> str:
    """Return rows as Markdown, a table a section, each with its provenance below.

    Parameters
    ----------
    rows, notes
        As in :func:`write_tables`. A single section without a note has no title.
    """
    notes = {} if notes is None else notes
    sections: dict[str, list[ResultRow]] = {}
    for row in rows:
        sections.setdefault(row.section, []).append(row)
    parts = []
    for name, own in sections.items():
        parts += [f"## {name}\n"] if len(sections) > 1 or name in notes else []
        parts += [f"{notes[name]}\n"] if name in notes else []
        parts.append(_table(own))
    return "\n".join(parts)


def _table(rows: Sequence[ResultRow]) -> str:
    # Figures over few test items need their error beside them.
    erring = any(row.error is not None for row in rows)
    lines = [
        "| setting | scale, network | metric | mean | std | "
        + ("standard error | " if erring else "")
        + "seeds | paper, as remembered (unchecked) |",
        "|---" * (7 + erring) + "|",
    ]
    for row in rows:
        std = "" if row.std is None else f"{row.std:.4f}"
        paper = "" if row.paper is None else f"{row.paper:.3f}"
        error = "" if row.error is None else f"{row.error:.4f}"
        error = f"| {error} " if erring else ""
        seeds = ", ".join(map(str, row.seeds))
        lines.append(
            f"| {row.setting} | {row.scale}, {row.network} | {row.metric} | {row.mean:.4f} | {std} "
            f"{error}| {seeds} | {paper} |"
        )
    lines.append("")
    for command in dict.fromkeys(row.command for row in rows):
        row = next(row for row in rows if row.command == command)
        others = " and the other seeds" if len(row.seeds) > 1 else ""
        lines.append(
            f"- {row.setting}: `{command}`{others}, commit {row.commit}, {row.device}, "
            f"{row.wall_seconds:.0f} s a run on average"
        )
    return "\n".join(lines) + "\n"
