"""Experiments on sequences of unequal length."""

from experiments.sequences.config import SequenceExperimentName

__all__ = ["SequenceExperimentName"]
