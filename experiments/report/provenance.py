"""What every report says of how a run was made."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.report.page import Block, Code, Table, Text
from experiments.report.wording import number, plural, time_span
from inference import RunDirectory, TrainingConfig

__all__ = ["how_it_ended", "how_it_was_run"]


def how_it_was_run(
    rows: Mapping[str, str],
    summary: Mapping[str, Any],
    directory: RunDirectory,
    execution: Sequence[str] = (),
) -> Iterator[Block]:
    """Return the command, the settings and where the run was made.

    Parameters
    ----------
    rows
        The settings that are worth a line, by name.
    summary
        Of ``summary.json``.
    directory
        The run.
    execution
        What is to be said beside the device.
    """
    versions = [f"{name} {version}" for name, version in summary["versions"].items()]
    more = {
        "updates": f"{summary['updates']:,}",
        "seed": str(summary["seed"]),
        "wall time": time_span(summary["wall_seconds"]),
        "device": ", ".join([summary["device"], *execution]),
        "processes": str(summary["processes"]),
        "commit": summary["commit"],
        "versions": ", ".join([f"Python {summary['python']}", *versions]),
        "folder": str(directory.path),
    }
    yield Code(summary["command"])
    yield Table("The run", (), list({**rows, **more}.items()))
    yield Text("Every setting is in config.json. This page is made again with:")
    yield Code(shlex.join(["python", "-m", "experiments.report", str(directory.path)]))


def how_it_ended(
    summary: Mapping[str, Any], config: TrainingConfig, records: Sequence[Mapping[str, float]]
) -> str:
    """Return why the training ended, and which weights were scored."""
    if summary["stopped"] == "early":
        ended = f"stopped early: no lower validation loss in {config.patience} validations"
    else:
        ended = f"ended after its {plural(config.updates, 'update')}"
    text = f"The training {ended}."
    losses = {r["validation.loss"]: r["update"] for r in records if "validation.loss" in r}
    if losses:
        text += (
            f" The scored weights are those of the lowest validation loss, "
            f"{number(min(losses), 1, 'not a number')}, at update {losses[min(losses)]:,.0f}."
        )
    return text
