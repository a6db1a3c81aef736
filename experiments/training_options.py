"""The options of how parameters are fitted, whatever is run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Final, Literal

from experiments.cli import Choice, Count, Number

__all__ = ["TRAINING", "TrainingOptions"]


@dataclass(frozen=True)
class TrainingOptions:
    """Each sets the field of the same name in :class:`inference.TrainingConfig`."""

    seed: Count = None
    """Seed of weights, data order and all that is drawn; generated data have one of their own.
    Default: 0."""

    batch_size: Count = None
    """Sequences or images in an update, shared equally by the processes that torchrun started."""

    updates: Count = None
    """Number of optimiser updates."""

    learning_rate: Number = None
    """The optimiser's learning rate."""

    warmup: Count = None
    """Updates over which the learning rate rises from zero."""

    decay: Annotated[Literal["constant", "cosine", "stages"] | None, Choice] = None
    """What the learning rate does then: stay, fall to zero at the last update, or fall tenfold in
    stages of which each is three times as long as the one before (Burda et al. 2015)."""

    clip_norm: Number = None
    """Scale gradients down to this norm."""

    averaging: Number = None
    """Decay of an exponential average of the weights, which is then what is scored."""

    patience: Count = None
    """Stop after this many validations without a lower loss."""


TRAINING: Final = tuple(field.name for field in fields(TrainingOptions))
"""The names of these options."""
