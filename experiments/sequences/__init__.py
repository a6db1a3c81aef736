"""Experiments on sequences of unequal length."""

from experiments.sequences.config import SequenceExperimentName
from experiments.sequences.run import run_sequences

__all__ = ["SequenceExperimentName", "run_sequences"]
