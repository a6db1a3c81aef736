"""The resolved settings of an experiment on frames."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from experiments.names import ExperimentName
from experiments.saved_settings import rebuilt
from experiments.scale import Scale
from inference import BoundConfig, Execution, TrainingConfig
from inference.guides import View
from pyro_nem.data import Noise
from pyro_nem.errors import ConfigError

__all__ = [
    "BALLS",
    "LARGE",
    "ExperimentName",
    "FrameExperiment",
    "GuideName",
    "NetworkName",
    "PixelName",
    "RecipeName",
    "Variant",
]

BALLS: tuple[ExperimentName, ...] = ("bouncing_balls", "bouncing_balls_curtain")
"""The experiments whose data are bouncing balls."""

LARGE: tuple[ExperimentName, ...] = (*BALLS, "sprites")
"""The experiments whose frames have 64x64 pixels, with objects that may vary in number."""

GuideName = Literal["n-em", "rnn-em", "r-nem", "vrnn"]
NetworkName = Literal["official", "located"]
RecipeName = Literal["official", "improved"]
PixelName = Literal["bernoulli", "gaussian"]
Variant = Literal["20", "500", "full"]


@dataclass(frozen=True)
class FrameExperiment:
    """Everything that decides the numbers of a run; saved as ``config.json``."""

    experiment: ExperimentName
    """What is run."""

    scale: Scale
    """The scale whose defaults the settings started from."""

    recipe: RecipeName
    """How it is trained by default: as in the released code, or as learns better."""

    guide: GuideName
    """How the mixture is inverted."""

    network: NetworkName
    """The paper's network, or the small one with a located decoder."""

    pixels: PixelName
    """The law of a pixel given its component: of binary frames, or of grey and coloured ones."""

    views: tuple[View, ...]
    """What a component sees of a frame (all guides but n-em)."""

    attention: bool
    """Weight the effects of other components by attention (guide r-nem)."""

    gradient_gamma: bool
    """Back-propagate through the responsibilities."""

    gradient_psi: bool
    """Back-propagate through the psi that a component sees."""

    objects: int
    """Objects in each frame of the generated data."""

    most_objects: int | None
    """If given, generated sequences have from ``objects`` to as many; balls and sprites only."""

    variant: Variant | None
    """How many digits of MNIST there are to train on (flying_mnist)."""

    staged: bool
    """The weights are at first the best ones of the variant before (flying_mnist)."""

    components: int
    """K, components of the mixture."""

    steps: int
    """T, steps of the recurrence."""

    frames: int
    """Frames of a generated sequence; 1 for static images."""

    data: str | None
    """An HDF5 file in the published layout, in place of the generated data; absolute in a run."""

    training_sequences: int
    """Sequences of the training split."""

    validation_sequences: int
    """Sequences of the validation split that are used for validation."""

    test_sequences: int
    """Sequences of the test split that are scored at the end."""

    iwae_particles: int
    """Draws for each sequence in the importance-weighted test bound (guide vrnn)."""

    iwae_sequences: int
    """Sequences of the test split that get this bound."""

    noise: Noise
    """Noise on the guide's inputs, at test time too."""

    step_weights: Literal["all", "last"] | tuple[float, ...]
    """Which steps count in the loss and in the step-weighted scores."""

    inter_weight: float
    """Weight of the inter-cluster term."""

    bound: BoundConfig
    """Which bound is trained."""

    training: TrainingConfig
    """Optimiser, schedule and seed."""

    execution: Execution
    """How the arithmetic is carried out."""

    device: str
    """Where it runs: cpu, cuda, cuda:1, ..."""

    def __post_init__(self) -> None:
        for name in ("objects", "components", "steps", "test_sequences"):
            if getattr(self, name) < 1:
                option = "--" + name.replace("_", "-")
                raise ConfigError(f"{option}: expected at least 1, got {getattr(self, name)}")
        if self.most_objects is None:
            return
        if self.experiment not in LARGE:
            raise ConfigError(
                f"--most-objects: {self.experiment} has as many objects in each sequence; leave it "
                "out, or run bouncing_balls or sprites"
            )
        if self.most_objects < self.objects:
            raise ConfigError(
                f"--most-objects: expected at least --objects, {self.objects}, got "
                f"{self.most_objects}"
            )

    @property
    def data_name(self) -> str:
        """A short name of the data, for folders and files."""
        if self.data is not None:
            return Path(self.data).stem
        most = "" if self.most_objects is None else f"to{self.most_objects}"
        digits = "" if self.variant in (None, "full") else f"-{self.variant}digits"
        return f"{self.objects}{most}objects{digits}"

    def without_folders(self) -> FrameExperiment:
        """Return the same for tables, in which a file of data has no folder of one machine."""
        return self if self.data is None else replace(self, data=Path(self.data).name)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, strings, lists and dictionaries, as for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], source: str) -> FrameExperiment:
        """Rebuild the settings from :meth:`to_dict` after a journey through JSON.

        Raises
        ------
        CheckpointError
            If the fields are not those of this version.
        """
        parts: dict[str, Callable[[Any], Any]] = {
            # Of a file that was named relatively, the one that the name finds here.
            "data": lambda part: None if part is None else os.path.abspath(part),
            "views": tuple,
            "step_weights": lambda part: part if isinstance(part, str) else tuple(part),
            "noise": lambda part: Noise(**part),
            "bound": lambda part: BoundConfig(**part),
            "training": lambda part: TrainingConfig(**part),
            "execution": lambda part: Execution(**part),
        }
        return rebuilt(cls, content, source, parts)
