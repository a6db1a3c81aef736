"""Everything that a report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr

from experiments.frames.config import FrameExperiment
from experiments.frames.stages import earlier_stages
from inference import RunDirectory, read_posterior
from pyro_nem.errors import CheckpointError

__all__ = ["RunFiles", "Split", "read_run", "require", "require_keys"]

# What the summary of a run of this version has, whatever was run.
_KEYS = ("errors", "per_step", "per_step_errors", "posterior_sequences", "stopped", "versions")

_ADVICE = (
    "python -m experiments.run with --resume and the folder scores a run again and writes its files"
)


class Split(NamedTuple):
    """The figures of some sequences of one split."""

    name: str
    animation: Path
    overviews: list[Path]


class RunFiles(NamedTuple):
    """What the folder of a finished run says.

    Attributes
    ----------
    directory, settings
        The run.
    summary
        Of ``summary.json``, null where a number is not defined.
    records
        Lines of progress.
    posterior
        What ``posterior.nc`` holds; None for a run that was told to write none.
    splits
        Figures of training and test sequences; none where frames cannot be drawn.
    earlier
        The earlier stages of a staged run, name -> summary.
    """

    directory: RunDirectory
    settings: FrameExperiment
    summary: dict[str, Any]
    records: list[dict[str, float]]
    posterior: xr.DataTree | None
    splits: list[Split]
    earlier: dict[str, dict[str, Any]]


def read_run(directory: RunDirectory) -> RunFiles:
    """Read the files of a run.

    Raises
    ------
    CheckpointError
        If one is missing, damaged or of another version.
    DataError
        The same of ``posterior.nc``.
    """
    config = directory.read_config()
    settings = FrameExperiment.from_dict(directory.read_settings(), str(directory.config))
    summary = directory.read_summary()
    require_keys(directory, summary, _KEYS)
    require(directory.metrics)
    drawable = config["image_shape"][2] in (1, 3)
    return RunFiles(
        directory,
        settings,
        summary,
        directory.read_metrics(),
        read_posterior(directory.posterior) if summary["posterior_sequences"] else None,
        [_split(directory, name) for name in ("test", "train")] if drawable else [],
        {
            f"{variant} digits": stage.read_summary()
            for variant, stage in earlier_stages(settings, directory).items()
        },
    )


def _split(directory: RunDirectory, name: str) -> Split:
    animation = directory.figures / f"segmentation_{name}.gif"
    first = directory.figures / f"overview_{name}_0.png"
    for path in (animation, first):
        require(path)
    return Split(name, animation, sorted(directory.figures.glob(f"overview_{name}_*.png")))


def require_keys(directory: RunDirectory, summary: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Check that a summary has what that of a run of this version has.

    Raises
    ------
    CheckpointError
        If an entry is missing.
    """
    if missing := [key for key in keys if key not in summary]:
        raise CheckpointError(
            f"{directory.summary}: expected the summary of a run of this version, but "
            f"{', '.join(missing)} is missing; {_ADVICE}"
        )


def require(path: Path) -> None:
    """Check that a file of a run is there.

    Raises
    ------
    CheckpointError
        If it is not.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: expected this file of a run, found none; {_ADVICE}")
