"""Everything that the report of a run on sequences or images is made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, get_args

import xarray as xr

from experiments.images import ImageExperimentName
from experiments.images.config import ImageExperiment
from experiments.report.read_run import require, require_keys
from experiments.sequences import SequenceExperimentName
from experiments.sequences.config import SequenceExperiment
from inference import RunDirectory, read_posterior

__all__ = ["LatentRun", "is_latent", "read_latent_run"]

# What the summary of a run of this version has, whatever was run.
_KEYS = ("errors", "stopped", "versions")


class LatentRun(NamedTuple):
    """What the folder of a finished run on sequences or images says.

    Attributes
    ----------
    directory, settings
        The run.
    summary
        Of ``summary.json``, null where a number is not defined.
    records
        Lines of progress.
    posterior
        What ``posterior.nc`` holds; None for a run that wrote none.
    pictures, sounds
        Files of its figures, without the learning curves.
    """

    directory: RunDirectory
    settings: SequenceExperiment | ImageExperiment
    summary: dict[str, Any]
    records: list[dict[str, float]]
    posterior: xr.DataTree | None
    pictures: list[Path]
    sounds: list[Path]

    @property
    def unit(self) -> str:
        """What a score is of: "sequence" or "image"."""
        return "sequence" if isinstance(self.settings, SequenceExperiment) else "image"

    @property
    def described(self) -> int:
        """How many of them the posterior is of."""
        return int(self.summary[f"posterior_{self.unit}s"])

    @property
    def has_latents(self) -> bool:
        """Whether there is anything to infer."""
        return isinstance(self.settings, ImageExperiment) or self.settings.latent_size > 0


def is_latent(directory: RunDirectory) -> bool:
    """Return whether a folder is that of a run on sequences or images.

    Raises
    ------
    CheckpointError
        If it is no folder of a run.
    """
    names = (*get_args(SequenceExperimentName), *get_args(ImageExperimentName))
    return directory.read_settings().get("experiment") in names


def read_latent_run(directory: RunDirectory) -> LatentRun:
    """Read the files of a run.

    Raises
    ------
    CheckpointError
        If one is missing, damaged or of another version.
    DataError
        The same of ``posterior.nc``.
    """
    content, source = directory.read_settings(), str(directory.config)
    settings: SequenceExperiment | ImageExperiment
    if content["experiment"] in get_args(SequenceExperimentName):
        settings, described = SequenceExperiment.from_dict(content, source), "posterior_sequences"
    else:
        settings, described = ImageExperiment.from_dict(content, source), "posterior_images"
    summary = directory.read_summary()
    require_keys(directory, summary, (*_KEYS, described))
    require(directory.metrics)
    curves = directory.figures / "learning_curves.png"
    return LatentRun(
        directory,
        settings,
        summary,
        directory.read_metrics(),
        read_posterior(directory.posterior) if summary[described] else None,
        sorted(path for path in directory.figures.glob("*.png") if path != curves),
        sorted(directory.figures.glob("*.wav")),
    )
