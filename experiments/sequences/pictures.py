"""The figures of a run on sequences: data, continuations and draws, and the learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from experiments.sequences.sequence_data import Drawn, SequenceData
from inference.sequences import SequenceObjective, continue_sequences, draw_sequences
from pyro_nem.data import pad
from pyro_nem.plots import learning_curves, save_figure

__all__ = ["draw_pictures"]

_SAMPLES = 3

# Two phrases of a chorale or so, and more than most digits.
_STEPS = 48


def draw_pictures(
    objective: SequenceObjective,
    data: SequenceData,
    records: Sequence[Mapping[str, float]],
    folder: Path,
) -> None:
    """Write the figures of a run into a folder.

    Parameters
    ----------
    objective
        The trained model and guide.
    data
        Whose first test sequences are drawn and continued.
    records
        The lines of progress for the learning curves.
    folder
        Where the files go; it has to exist.
    """
    chosen = [sequence[:_STEPS] for sequence in islice(data.test.scaled(), _SAMPLES)]
    seen = -(-min(len(sequence) for sequence in chosen) // 2)
    beginning = pad([sequence[:seen] for sequence in chosen])
    continued = continue_sequences(objective, beginning, _STEPS - seen)
    drawn = draw_sequences(objective, len(chosen), _STEPS)
    rows: list[list[Drawn]] = [
        [(f"test sequence {n}", sequence, None) for n, sequence in enumerate(chosen)],
        [(f"sequence {n}, continued", x, seen) for n, x in enumerate(_each(continued))],
        [(f"draw {n}", x, None) for n, x in enumerate(_each(drawn))],
    ]
    data.save(rows, folder)
    if records:
        curves = learning_curves(records, unit="nats a step", kl="KL of the latents, nats a step")
        save_figure(curves, folder / "learning_curves.png")


def _each(sequences: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = sequences.transpose(0, 1).cpu().numpy()
    return array  # [B, T, D]
