"""The folder of a run: config, metrics, checkpoints, posterior, summary, figures and report."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyro_nem.errors import CheckpointError, StorageError
from pyro_nem.files import make_directory, replacing, without_nan, write_json

__all__ = ["Record", "RunDirectory"]

Record = Mapping[str, float | int]


class RunDirectory:
    """Names and writes the files of one run.

    Parameters
    ----------
    path
        The folder; made with ``checkpoints/`` and ``figures/`` by :meth:`create`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.metrics = path / "metrics.jsonl"
        self.summary = path / "summary.json"
        self.posterior = path / "posterior.nc"
        self.report = path / "report.html"
        self.log = path / "output.log"
        self.figures = path / "figures"
        self.last = path / "checkpoints" / "last.pt"
        self.best = path / "checkpoints" / "best.pt"

    def evidence(self) -> Path | None:
        """Return a file that tells that a run, or a part of one, is here; None if none is."""
        files = (self.last, self.best, self.summary, self.metrics, self.config)
        return next((file for file in files if file.exists()), None)

    def require_unused(self) -> None:
        """Check that no run, not even a part of one, is here.

        Raises
        ------
        CheckpointError
            If one is; it is left untouched.
        """
        if (file := self.evidence()) is not None:
            raise CheckpointError(
                f"{self.path}: holds a run already (there is {file.name}); resume it "
                "(resume=True, --resume), or choose another directory (--run-dir)"
            )

    def create(self, config: Mapping[str, Any]) -> None:
        """Make the folder and write ``config.json``.

        Raises
        ------
        CheckpointError
            If the folder holds a run already.
        StorageError
            If the system refuses to write.
        """
        self.require_unused()
        make_directory(self.last.parent)
        make_directory(self.figures)
        write_json(self.config, config)

    def read_config(self) -> dict[str, Any]:
        """Return the content of ``config.json``.

        Raises
        ------
        CheckpointError
            If there is no such file, or it is not JSON.
        """
        return self._read(self.config, "was this folder made by experiments.run?")

    def read_settings(self) -> dict[str, Any]:
        """Return the settings in ``config.json``.

        Raises
        ------
        CheckpointError
            If they are not there.
        """
        settings = self.read_config().get("settings")
        if not isinstance(settings, dict):
            raise CheckpointError(
                f'{self.config}: expected the entry "settings" of a run of this project, found '
                "none; choose the folder of a run"
            )
        return settings

    def remove_leftovers(self) -> None:
        """Remove the temporary files that a killed training left among the checkpoints."""
        for file in self.last.parent.glob(".*.pt"):
            file.unlink()

    def read_summary(self) -> dict[str, Any]:
        """Return the content of ``summary.json``.

        Raises
        ------
        CheckpointError
            If the run is not finished, or the file is not JSON.
        """
        return self._read(self.summary, "resume the run first, until it has finished")

    def append_metrics(self, record: Record) -> None:
        """Add one line to ``metrics.jsonl``."""
        try:
            with self.metrics.open("a", encoding="utf-8") as file:
                file.write(json.dumps(without_nan(record)) + "\n")
        except OSError as error:
            raise StorageError(
                f"cannot write {self.metrics}: {error}. Free some space and resume."
            ) from error

    def read_metrics(self) -> list[dict[str, float]]:
        """Return the lines of ``metrics.jsonl``, null as NaN.

        A last line cut short by a kill is left out.
        """
        if not self.metrics.exists():
            return []
        lines = self.metrics.read_text(encoding="utf-8").splitlines(keepends=True)
        try:
            records = [json.loads(line) for line in lines if line.endswith("\n")]
        except json.JSONDecodeError as error:
            raise CheckpointError(
                f"{self.metrics}: expected a JSON object on each line ({error}); remove the broken "
                "line"
            ) from error
        return [
            {name: math.nan if value is None else value for name, value in record.items()}
            for record in records
        ]

    def truncate_metrics(self, update: int) -> None:
        """Drop the lines after ``update``: a resumed run writes them again."""
        kept = [record for record in self.read_metrics() if record["update"] <= update]
        with replacing(self.metrics) as temporary:
            text = "".join(json.dumps(without_nan(record)) + "\n" for record in kept)
            temporary.write_text(text, encoding="utf-8")

    def _read(self, path: Path, advice: str) -> dict[str, Any]:
        if not path.is_file():
            raise CheckpointError(f"{path}: expected this file of a run, found none; {advice}")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise CheckpointError(f"{path}: is not valid JSON ({error})") from error
        if not isinstance(content, dict):
            raise CheckpointError(f"{path}: expected a JSON object, found {content!r:.40}")
        return content
