"""From settings to objects: the objective with its networks."""

from __future__ import annotations

from experiments.sequences.config import SequenceExperiment
from experiments.sequences.sequence_data import SequenceData
from inference.seeded import seeded
from inference.sequences import NoLatents, SequenceObjective, SequencePosterior
from models import SequenceVRNN

__all__ = ["build_objective"]


def build_objective(settings: SequenceExperiment, data: SequenceData) -> SequenceObjective:
    """Build model, guide and bound with weights drawn from the settings' seed.

    Parameters
    ----------
    settings
        The experiment.
    data
        Gives the law of a step, and how long training sequences are.
    """
    # Modules draw their initial weights from PyTorch's global generator.
    with seeded(settings.training.seed):
        model = SequenceVRNN(
            data.output(),
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
                batch_norm=_steps(settings, data) if settings.batch_norm else None,
            )
            if settings.latent_size
            else NoLatents(model)
        )
    return SequenceObjective(model, guide, bound=settings.bound).to(settings.device)


def _steps(settings: SequenceExperiment, data: SequenceData) -> int:
    """Return the steps of the longest sequence that is trained on."""
    longest = data.training.longest
    return longest if settings.chunk is None else min(longest, settings.chunk)
