"""Make released weights of a finished run: ``python -m experiments.release RUN_DIR NAME``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tyro

from experiments.cli import provenance, run_command
from experiments.frames.assembly import build_objective, data_file
from experiments.frames.model_card import model_card
from experiments.frames.open_run import trained_settings
from experiments.frames.options import to_score
from experiments.frames.released import WEIGHTS, Released, read_released, write_released
from experiments.frames.scores import score_table, test_scores
from experiments.resolving import check_name
from inference import ALONE, Evaluation, RunDirectory, load_checkpoint, load_weights
from pyro_nem.data import HDF5Frames
from pyro_nem.errors import ConfigError
from pyro_nem.files import make_directory, replacing

__all__ = ["ReleaseOptions", "main"]

_PROGRAM = "experiments.release"
_LARGEST: Final = 5_000_000


@dataclass(frozen=True)
class ReleaseOptions:
    """Write the best weights of a finished run as a small file with a model card.

    NAME.safetensors holds them in half precision, with the settings and the scores of the run.
    NAME.md, the card, has the scores that the half precision gives. evaluate, rollout and compare
    take the file in the place of the folder of a run; if it comes with the package, its NAME too.
    """

    run_dir: tyro.conf.Positional[Path]
    """Folder of the run."""

    name: tyro.conf.Positional[str]
    """Name of the weights, as flying_shapes."""

    output: Path = WEIGHTS
    """Folder for both files. Default: that of the package."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(ReleaseOptions, lambda options: _release(options, given), _PROGRAM, given)


def _release(options: ReleaseOptions, arguments: list[str]) -> int:
    check_name("name", options.name)
    directory = RunDirectory(options.run_dir)
    settings = trained_settings(directory)
    if settings.data is not None:
        raise ConfigError(
            f"run_dir: {directory.path} was trained on {settings.data}, a file that others do not "
            "have; release a run on generated data"
        )
    summary = directory.read_summary()
    state = load_checkpoint(directory.best)
    rows, columns, channels = directory.read_config()["image_shape"]
    make_directory(options.output)
    file = options.output / f"{options.name}.safetensors"
    write_released(
        file,
        Released(
            to_score(settings, "cpu"),
            (rows, columns, channels),
            state["update"],
            state["evaluated"],
            summary,
        ),
    )
    released = read_released(file)
    scores = _score(released)
    print(score_table(scores))
    made = provenance(_PROGRAM, arguments, "cpu")
    size = file.stat().st_size
    packaged = options.output.resolve() == WEIGHTS.resolve()
    card = model_card(
        options.name, released, scores.metrics, size=size, made=made, packaged=packaged
    )
    with replacing(options.output / f"{options.name}.md") as temporary:
        temporary.write_text(card, encoding="utf-8")
    print(f"written to {file}, {size / 1e6:.1f} MB, and {options.name}.md beside it")
    if size > _LARGEST:
        print(f"this is more than {_LARGEST / 1e6:.0f} MB; keep it out of the repository")
    return 0


def _score(released: Released) -> Evaluation:
    """Score the weights as they are in the file, in the way that a run scores its own."""
    settings = released.settings
    with HDF5Frames(data_file(settings), "test", settings.test_sequences) as test:
        objective = build_objective(settings, test.image_shape)
        load_weights(objective, released.weights, Path("released weights"))
        return test_scores(objective, settings, test, ALONE)


if __name__ == "__main__":
    sys.exit(main())
