"""Inference for sequence models: the posterior, its bounds, training and evaluation."""

from inference.sequences.diagnosis import diagnose_sequences
from inference.sequences.evaluation import SequenceScores, score_sequences
from inference.sequences.fitting import SequenceRun, fit_sequences
from inference.sequences.generation import continue_sequences, draw_sequences
from inference.sequences.no_latents import NoLatents
from inference.sequences.objective import SequenceLoss, SequenceObjective
from inference.sequences.posterior import SequencePosterior
from inference.sequences.protocol import SequenceGuide
from inference.sequences.resampling import SystematicResampling, combine_resampled

__all__ = [
    "NoLatents",
    "SequenceGuide",
    "SequenceLoss",
    "SequenceObjective",
    "SequencePosterior",
    "SequenceRun",
    "SequenceScores",
    "SystematicResampling",
    "combine_resampled",
    "continue_sequences",
    "diagnose_sequences",
    "draw_sequences",
    "fit_sequences",
    "score_sequences",
]
