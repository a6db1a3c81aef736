"""Gather finished runs into a table: ``python -m experiments.collect RUN_DIR ...``."""

from __future__ import annotations

import csv
import io
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import tyro

from experiments.cli import run_command
from experiments.config import FrameExperiment
from experiments.defaults import defaults
from experiments.published import published_ami
from inference import RunDirectory
from pyro_nem.errors import ConfigError
from pyro_nem.files import make_directory, replacing, write_json

__all__ = [
    "CollectOptions",
    "ResultRow",
    "collect",
    "main",
    "to_csv",
    "to_markdown",
    "write_tables",
]

_METRICS = (
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


@dataclass(frozen=True)
class CollectOptions:
    """Write the scores of finished runs as a table: mean and deviation over seeds.

    Runs of equal settings but another seed form one row a metric. One JSON, one CSV and one
    Markdown file an experiment are written.
    """

    run_dirs: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of finished runs."""

    output: Path = Path("docs/results")
    """Folder for the tables."""


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


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    return run_command(CollectOptions, _run, "experiments.collect", arguments)


def _run(options: CollectOptions) -> int:
    rows = collect([RunDirectory(path) for path in options.run_dirs])
    for experiment in sorted({row.experiment for row in rows}):
        own = [row for row in rows if row.experiment == experiment]
        print(write_tables(own, options.output, experiment))
    return 0


def collect(runs: Sequence[RunDirectory]) -> list[ResultRow]:
    """Return a row for each metric of each group of runs that differ in seed and device only.

    Whether products were in float32 or TF32, and what was compiled or captured, is no difference.

    Raises
    ------
    CheckpointError
        If a run is not finished.
    ConfigError
        If there is no run, or two runs are of the same settings and seed.
    """
    if not runs:
        raise ConfigError("run_dirs: expected at least one folder of a finished run, got none")
    groups: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for run in runs:
        settings = FrameExperiment.from_dict(run.read_settings(), str(run.config)).to_dict()
        summary = run.read_summary()
        training = {**settings["training"], "seed": None}
        # Of how a run was carried out only bfloat16 is coarse enough to matter.
        where = {"device": None, "execution": settings["execution"]["precision"] == "bfloat16"}
        key = json.dumps({**settings, "training": training, **where}, sort_keys=True)
        seed = settings["training"]["seed"]
        if seed in [other["seed"] for _, other in groups.setdefault(key, [])]:
            raise ConfigError(f"{run.path}: seed {seed} of these settings is there twice")
        groups[key].append((settings, summary))
    return [row for members in groups.values() for row in _rows(members)]


def _rows(members: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[ResultRow]:
    members = sorted(members, key=lambda member: int(member[1]["seed"]))
    settings, first = members[0]
    experiment = settings["experiment"]
    setting = _setting(settings)
    rows = []
    for metric in _METRICS:
        found = [summary.get(f"test.{metric}") for _, summary in members]
        values = [value for value in found if value is not None]
        if len(values) < len(members):
            # Data without labels have no segmentation scores, point masses no divergence.
            continue
        # Whether the paper's tables use the mean over steps or the last step is not known.
        paper = published_ami(experiment, setting) if metric in ("ami", "ami_last") else None
        rows.append(
            ResultRow(
                experiment=experiment,
                setting=setting,
                scale=settings["scale"],
                network=settings["network"],
                metric=f"test.{metric}",
                mean=statistics.mean(values),
                std=statistics.stdev(values) if len(values) > 1 else None,
                seeds=[int(summary["seed"]) for _, summary in members],
                values=values,
                paper=paper,
                command=first["command"],
                commit=", ".join(sorted({summary["commit"] for _, summary in members})),
                device=", ".join(sorted({summary["device"] for _, summary in members})),
                wall_seconds=statistics.mean(s["wall_seconds"] for _, s in members),
            )
        )
    return rows


def _setting(settings: dict[str, Any]) -> str:
    """Return what tells a row of a table from others, defaults left out."""
    usual = defaults(
        settings["experiment"], settings["scale"], settings["guide"], None, settings["variant"]
    ).to_dict()
    parts = [settings["guide"]]
    if settings["experiment"] == "flying_mnist":
        parts[0] = "staged" if settings["staged"] else "direct"
        if (settings["objects"], settings["components"]) != (usual["objects"], usual["components"]):
            parts[0] += f" {settings['objects']}/{settings['components']}"
    elif settings["experiment"] != "static_shapes":
        most = "" if settings["most_objects"] is None else f"-{settings['most_objects']}"
        parts[0] = f"{settings['objects']}{most}/{settings['components']}"
    if settings["experiment"] != "static_shapes" and settings["guide"] != "rnn-em":
        parts[0] += f" {settings['guide']}"
    bound = settings["bound"]
    if bound["objective"] != usual["bound"]["objective"] or bound["particles"] > 1:
        parts[0] += f" {bound['objective']}-{bound['particles']}"
    if settings["variant"] not in (None, "full"):
        parts.append(f"{settings['variant']} digits")
    if settings["guide"] == "r-nem" and not settings["attention"]:
        parts.append("no attention")
    for name in ("gradient", "divergence", "kl_warmup", "free_nats"):
        if bound[name] != usual["bound"][name]:
            parts.append(f"{name.replace('_', ' ')} {bound[name]}")
    for name in ("batch_size", "updates", "learning_rate", "clip_norm", "patience"):
        if settings["training"][name] != usual["training"][name]:
            title = name.replace("_size", "").replace("_", " ")
            parts.append(f"{title} {settings['training'][name]}")
    for name in ("steps", "test_sequences", "data"):
        if settings[name] != usual[name]:
            parts.append(f"{name.replace('_', ' ')} {settings[name]}")
    if settings["noise"] != usual["noise"]:
        parts.append(f"noise {settings['noise']['probability']}")
    if settings["execution"]["precision"] == "bfloat16":
        parts.append("bfloat16")
    return ", ".join(parts)


def write_tables(rows: Sequence[ResultRow], folder: Path, name: str) -> str:
    """Write rows to NAME.json, NAME.csv and NAME.md in a folder; return them as Markdown.

    Raises
    ------
    StorageError
        If the system refuses to write.
    """
    make_directory(folder)
    write_json(folder / f"{name}.json", {"rows": [asdict(row) for row in rows]})
    table = to_markdown(rows)
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


def to_markdown(rows: Sequence[ResultRow]) -> str:
    """Return rows as a Markdown table with the provenance below it."""
    lines = [
        "| setting | scale, network | metric | mean | std | seeds | paper, as remembered "
        "(unchecked) |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        std = "" if row.std is None else f"{row.std:.4f}"
        paper = "" if row.paper is None else f"{row.paper:.3f}"
        seeds = ", ".join(map(str, row.seeds))
        lines.append(
            f"| {row.setting} | {row.scale}, {row.network} | {row.metric} | {row.mean:.4f} | {std} "
            f"| {seeds} | {paper} |"
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


if __name__ == "__main__":
    sys.exit(main())
