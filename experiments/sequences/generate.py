"""Draw sequences from a trained run: ``python -m experiments.sequences.generate RUN_DIR``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from numpy.typing import NDArray
from torch import Tensor

from experiments.cli import Device, Threads, provenance, run_command, use_threads
from experiments.sequences.open_run import OpenSequenceRun, open_run
from experiments.sequences.sequence_data import Drawn
from experiments.trained_weights import CheckpointName
from inference import RunDirectory
from inference.sequences import continue_sequences, draw_sequences
from pyro_nem.checks import at_least
from pyro_nem.data import pad
from pyro_nem.errors import ConfigError
from pyro_nem.files import make_directory, replacing, write_json

__all__ = ["GenerateOptions", "main"]

_PROGRAM = "experiments.sequences.generate"

# Pictures side by side, at most.
_COLUMNS = 4


@dataclass(frozen=True)
class GenerateOptions:
    """Draw sequences from a run's model, or let it go on with test sequences.

    Everything goes to a folder in RUN_DIR/generated/: a figure, of speech a WAV file for each
    sequence, sequences.npz with the numbers in units of the data and the length of each sequence,
    behind which are zeros, and generated.json with where they come from.
    """

    run_dir: tyro.conf.Positional[Path]
    """Folder of the run."""

    count: int = 8
    """So many sequences."""

    steps: int = 100
    """Steps that are drawn, for each; digits of strokes mostly end before."""

    beginning: Annotated[int, tyro.conf.arg(name="continue")] = 0
    """Go on from the first so many steps of test sequences, the first ones that are longer. 0 draws
    from nothing."""

    seed: int = 0
    """Seed of the draws."""

    checkpoint: CheckpointName = "best"
    """The weights of the lowest validation loss, or the latest."""

    device: Device = None

    threads: Threads = None

    def __post_init__(self) -> None:
        at_least(1, **{"--count": self.count, "--steps": self.steps})
        at_least(0, **{"--continue": self.beginning})


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(GenerateOptions, lambda options: _generate(options, given), _PROGRAM, given)


def _generate(options: GenerateOptions, arguments: list[str]) -> int:
    use_threads(options.threads)
    directory = RunDirectory(options.run_dir)
    run = open_run(directory, options.checkpoint, options.device)
    if options.beginning:
        drawn = _continued(run, options)
    else:
        drawn = draw_sequences(run.objective, options.count, options.steps, seed=options.seed)
    sequences: NDArray[Any] = drawn.transpose(0, 1).cpu().numpy()  # [B, T, D]
    name = (
        f"{options.count}draws"
        if not options.beginning
        else (f"{options.count}from{options.beginning}")
    )
    name = f"{name}-{options.steps}steps-{options.checkpoint}-seed{options.seed}"
    folder = make_directory(directory.path / "generated" / name)
    run.data.save(_rows(sequences, options.beginning), folder)
    recorded = np.stack([run.data.recorded(sequence) for sequence in sequences])
    lengths = np.array([run.data.length(sequence) for sequence in sequences])  # [B]
    # A model has learned nothing of what would come behind the end.
    recorded[np.arange(recorded.shape[1]) >= lengths[:, None]] = 0
    with replacing(folder / "sequences.npz") as temporary:
        np.savez_compressed(temporary, sequences=recorded, lengths=lengths, given=options.beginning)
    source = provenance(_PROGRAM, arguments, run.settings.device)
    write_json(folder / "generated.json", {"update": run.update, **source})
    print(f"written to {folder}")
    return 0


def _continued(run: OpenSequenceRun, options: GenerateOptions) -> Tensor:
    """Return test sequences of which the model drew all but the beginning, [T, B, D]."""
    longer = (x for x in run.data.test.scaled() if len(x) > options.beginning)
    chosen = list(islice(longer, options.count))
    if len(chosen) < options.count:
        raise ConfigError(
            f"--continue {options.beginning}: {run.data.test.name} has {len(chosen)} sequences "
            f"that are longer, fewer than --count {options.count}; ask for fewer of either"
        )
    beginning = pad([x[: options.beginning] for x in chosen])
    return continue_sequences(run.objective, beginning, options.steps, seed=options.seed)


def _rows(sequences: NDArray[Any], beginning: int) -> list[list[Drawn]]:
    """Return sequences [B, T, D] as rows of pictures."""
    title = "sequence {}, continued" if beginning else "draw {}"
    drawn: list[Drawn] = [
        (title.format(n), sequence, beginning or None) for n, sequence in enumerate(sequences)
    ]
    # Rows of a figure are equally long.
    columns = max(n for n in range(1, _COLUMNS + 1) if len(drawn) % n == 0)
    return [drawn[start : start + columns] for start in range(0, len(drawn), columns)]


if __name__ == "__main__":
    sys.exit(main())
