"""Speech as the data of an experiment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.io import wavfile
from torch import nn

from experiments.sequences.config import LawName
from experiments.sequences.sequence_data import Drawn, Reading, SequenceData
from models import AutoregressiveOutput, GaussianMixtureOutput, GaussianOutput
from pyro_nem.data import FRAME, SequenceSet, Speech
from pyro_nem.files import replacing
from pyro_nem.metrics import frame_volume, linear_prediction, moving_variance
from pyro_nem.plots import WavePicture, waveform_figure

__all__ = ["SpeechData"]

_ORDER: Final = 20

# Simple models have few numbers, which so many sequences determine.
_ENOUGH: Final = 5000
_LOUDEST: Final = np.iinfo(np.int16).max


class SpeechData(SequenceData):
    """Frames of speech.

    Parameters
    ----------
    speech
        The recordings.
    law
        Of a frame.
    components
        Of that law, where it has some.
    """

    figure_name = "waveforms.png"

    def __init__(self, speech: Speech, law: LawName, components: int | None) -> None:
        super().__init__(speech.training, speech.validation, speech.test)
        self.rate = speech.rate
        self.scaling = speech.scaling
        self.law = law
        self.components = components
        self.readings = (
            Reading("sample_log_likelihood", "log-likelihood, nats a sample", -1.0 / FRAME),
            Reading(
                "sample_log_likelihood_recorded",
                "the same in units of the recordings",
                -1.0 / FRAME,
                self.scaling.log_volume,
            ),
        )

    def output(self) -> nn.Module:
        """Return the law of a frame, no narrower than a step of the 16 bits."""
        narrowest = 1.0 / float(self.scaling.std[0])
        if self.law == "gaussian":
            return GaussianOutput(FRAME, min_scale=narrowest)
        if self.law == "mixture":
            assert self.components is not None
            return GaussianMixtureOutput(FRAME, self.components, min_scale=narrowest)
        coefficients = torch.from_numpy(
            linear_prediction(self.training.first(_ENOUGH), _ORDER)
        ).float()
        return AutoregressiveOutput(FRAME, coefficients, min_scale=narrowest)

    def floors(self, source: SequenceSet) -> dict[str, float]:
        """Return those of predicted volume, and of linear prediction with a variance that moves."""
        training = self.training.first(_ENOUGH)
        return {
            "frame_volume": frame_volume(training, source),
            "moving_variance": moving_variance(training, source, order=_ORDER),
        }

    def facts(self) -> dict[str, float]:
        """Return what samples were scaled by, and their rate."""
        return {
            "scaling.mean": float(self.scaling.mean[0]),
            "scaling.std": float(self.scaling.std[0]),
            "rate": self.rate,
        }

    def figure(self, rows: Sequence[Sequence[Drawn]]) -> Figure:
        """Draw waveforms."""
        return waveform_figure(
            [
                [
                    WavePicture(title, self._samples(x), None if seen is None else seen * FRAME)
                    for title, x, seen in row
                ]
                for row in rows
            ],
            rate=self.rate,
        )

    def save(self, rows: Sequence[Sequence[Drawn]], folder: Path) -> None:
        """Write waveforms into a folder, as a figure and each as a WAV file."""
        super().save(rows, folder)
        for title, x, _ in (drawn for row in rows for drawn in row):
            name = re.sub(r"\W+", "_", title)
            with replacing(folder / f"{name}.wav") as temporary:
                wavfile.write(temporary, self.rate, self._samples(x))

    def _samples(self, x: NDArray[Any]) -> NDArray[np.int16]:
        """Return frames [T, D] as 16-bit samples; what is too loud is cut off."""
        recorded = self.scaling.undo(x).ravel().round()
        return recorded.clip(-_LOUDEST - 1, _LOUDEST).astype(np.int16)
