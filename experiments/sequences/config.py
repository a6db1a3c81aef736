"""The resolved settings of an experiment on sequences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from experiments.names import SequenceExperimentName
from experiments.saved_settings import rebuilt
from experiments.scale import Scale
from inference import BoundConfig, TrainingConfig
from inference.kept_settings import current_settings
from pyro_nem.data import MoveScale, SequenceSchedule, TuneName

__all__ = [
    "CorpusName",
    "LawName",
    "ModelName",
    "SequenceExperiment",
    "SequenceExperimentName",
]

ModelName = Literal["vrnn", "vrnn-i", "rnn"]
CorpusName = Literal["digits", "timit", "blizzard", "omniglot", "iam"]
LawName = Literal["gaussian", "mixture", "autoregressive"]


@dataclass(frozen=True)
class SequenceExperiment:
    """Everything that decides the numbers of a run; saved as ``config.json``."""

    experiment: SequenceExperimentName
    """What is run."""

    scale: Scale
    """The scale whose defaults the settings started from."""

    tunes: TuneName | None
    """The collection of piano rolls (chorales)."""

    corpus: CorpusName | None
    """The recordings (speech, handwriting)."""

    data_dir: str | None
    """The folder of those that a user has."""

    normalisation: MoveScale | None
    """How the scale of movements is taken (handwriting)."""

    output: LawName | None
    """The law of a frame (speech)."""

    components: int | None
    """Gaussians of the law of a step, where it is a mixture."""

    model: ModelName
    """vrnn, the same with a prior that knows nothing of the past, or rnn, without latents."""

    latent_size: int
    """H, the size of z_t; 0 for the model rnn."""

    hidden_size: int
    """G, the size of what the recurrence carries."""

    width: int
    """Size of the layers of all networks."""

    layers: int
    """Number of layers before each head."""

    layer_norm: bool
    """Layer-normalise them."""

    batch_norm: bool
    """Batch-normalise the posterior's means."""

    residual: bool
    """Let the posterior correct the prior's mean."""

    smoothing: bool
    """Let the posterior read what is still to come."""

    chunk: int | None
    """Cut training sequences into pieces of so many steps."""

    bound: BoundConfig
    """Which bound is trained."""

    particles: tuple[int, ...]
    """Numbers of particles of the test bounds."""

    schedule: SequenceSchedule
    """A replay buffer or a curriculum."""

    training_sequences: int | None
    """Train on so many sequences only, the first ones."""

    held_out: int | None
    """Validate and test on so many sequences only, the first ones."""

    training: TrainingConfig
    """Optimiser, schedule and seed."""

    device: str
    """Where it runs: cpu, cuda, cuda:1, ..."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, strings, lists and dictionaries, as for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], source: str) -> SequenceExperiment:
        """Rebuild the settings from :meth:`to_dict` after a journey through JSON.

        Raises
        ------
        CheckpointError
            If the fields are not those of this version.
        """
        parts: dict[str, Callable[[Any], Any]] = {
            "bound": lambda part: BoundConfig(**part),
            "schedule": lambda part: SequenceSchedule(**part),
            "training": lambda part: TrainingConfig(**part),
            "particles": tuple,
        }
        return rebuilt(cls, current_settings(content), source, parts)
