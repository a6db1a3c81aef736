"""From settings to objects: the sequences, and the objective with its networks."""

from __future__ import annotations

from typing import NamedTuple

import torch

from experiments.sequences.config import SequenceExperiment
from inference.sequences import NoLatents, SequenceObjective, SequencePosterior
from models import BernoulliOutput, SequenceVRNN
from pyro_nem.data import SequenceSet, piano_rolls

__all__ = ["Splits", "build_objective", "load_splits"]


class Splits(NamedTuple):
    """The sequences of an experiment."""

    training: SequenceSet
    validation: SequenceSet
    test: SequenceSet


def load_splits(settings: SequenceExperiment) -> Splits:
    """Return the sequences of an experiment, downloaded the first time."""
    found = piano_rolls(settings.tunes)
    splits = Splits(found["training"], found["validation"], found["test"])
    if settings.sequences is None:
        return splits
    return Splits(*(split.first(settings.sequences) for split in splits))


def build_objective(settings: SequenceExperiment, training: SequenceSet) -> SequenceObjective:
    """Build model, guide and bound with weights drawn from the settings' seed.

    Parameters
    ----------
    settings
        The experiment.
    training
        Whose frequencies the output law starts from.
    """
    # Modules draw their initial weights from PyTorch's global generator.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.training.seed)
        model = SequenceVRNN(
            BernoulliOutput(training.size, training.mean()),
            latent_size=settings.latent_size,
            hidden_size=settings.hidden_size,
            width=settings.width,
            layers=settings.layers,
            independent_prior=settings.model == "vrnn-i",
            layer_norm=settings.layer_norm,
        )
        guide = (
            SequencePosterior(
                model,
                residual=settings.residual,
                smoothing=settings.smoothing,
                layers=settings.layers,
                layer_norm=settings.layer_norm,
            )
            if settings.latent_size
            else NoLatents(model)
        )
    objective = SequenceObjective(model, guide, bound=settings.bound, resample=settings.resample)
    return objective.to(settings.device)
