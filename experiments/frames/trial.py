"""A run that is to be scored under some conditions, and the scores that it has from before."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.cli import provenance
from experiments.evaluations import check_count, evaluation_file, write_evaluation
from experiments.frames.config import FrameExperiment
from experiments.frames.evaluate_options import EvaluateOptions, conditions, evaluation_name
from experiments.frames.open_run import OpenRun, trained_settings
from experiments.frames.released import find_run
from experiments.frames.scores import test_scores
from experiments.tables.run_groups import what_counts
from inference import ALONE, Evaluation, RunDirectory
from pyro_nem.errors import CheckpointError

__all__ = ["Trial", "trial"]

_PROGRAM = "experiments.evaluate"


@dataclass(frozen=True)
class Trial:
    """A run with the conditions of a test."""

    options: EvaluateOptions
    """What was asked for."""

    arguments: tuple[str, ...]
    """The same as a command line of experiments.evaluate."""

    directory: RunDirectory
    """The run."""

    settings: FrameExperiment
    """The conditions."""

    @property
    def name(self) -> str:
        """Of the files in ``evaluations/``, without suffix."""
        return evaluation_name(self.options, self.settings)

    @property
    def file(self) -> Path:
        """Where the scores are kept."""
        return evaluation_file(self.directory, self.name)

    @property
    def checkpoint(self) -> Path:
        """The weights."""
        best = self.options.checkpoint == "best"
        return self.directory.best if best else self.directory.last

    def stored(self) -> dict[str, Any] | None:
        """Return the kept scores if they are of these weights and conditions, else None.

        Raises
        ------
        CheckpointError
            If the file of the scores is not JSON.
        """
        if not self.file.exists() or not self.checkpoint.exists():
            return None
        try:
            content: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise CheckpointError(
                f"{self.file}: is not valid JSON ({error}); remove it, and it is made again"
            ) from error
        expected = self._identity()
        return content if expected == {name: content.get(name) for name in expected} else None

    def score(self, run: OpenRun) -> tuple[Evaluation, dict[str, Any]]:
        """Score the opened run, write the file and return the scores and its content.

        Raises
        ------
        ConfigError
            If the frames are fewer than was asked for.
        StorageError
            If the system refuses to write.
        """
        source = run.source
        check_count("--sequences", self.options.sequences, source.num_sequences, source.name)
        began = time.perf_counter()
        split = self.options.split
        scores = test_scores(run.objective, self.settings, source, ALONE)
        content = {
            "split": split,
            "components": self.settings.components,
            "steps": self.settings.steps,
            "data": source.name,
            "update": run.update,
            **{f"{split}.{metric}": value for metric, value in scores.metrics.items()},
            f"{split}.sequences": scores.sequences,
            "errors": scores.errors,
            "per_step": scores.per_step,
            "per_step_errors": scores.per_step_errors,
            "per_component": scores.per_component,
            "seed": self.settings.training.seed,
            "wall_seconds": round(time.perf_counter() - began, 1),
            **provenance(_PROGRAM, self.arguments, self.settings.device),
            **self._identity(),
        }
        write_evaluation(self.directory, self.name, content)
        return scores, content

    def _identity(self) -> dict[str, Any]:
        """Return what makes two evaluations one and the same, as JSON keeps it."""
        with self.checkpoint.open("rb") as weights:
            digest = hashlib.file_digest(weights, "sha256").hexdigest()
        counts = json.loads(json.dumps(what_counts(self.settings)))
        return {"split": self.options.split, "weights_sha256": digest, "conditions": counts}


def trial(options: EvaluateOptions, arguments: Sequence[str]) -> Trial:
    """Return the trial that a command line asks for.

    Parameters
    ----------
    options, arguments
        The command line of experiments.evaluate, parsed and as typed.

    Raises
    ------
    CheckpointError
        If the folder holds no run.
    ConfigError, DataError
        See :func:`experiments.frames.evaluate_options.conditions`.
    """
    directory = find_run(options.run_dir)
    settings = conditions(options, trained_settings(directory))
    return Trial(options, tuple(arguments), directory, settings)
