"""The names of the experiments, by kind."""

from __future__ import annotations

from typing import Literal

__all__ = ["ExperimentName", "ImageExperimentName", "SequenceExperimentName"]

ExperimentName = Literal[
    "flying_shapes",
    "static_shapes",
    "flying_mnist",
    "bouncing_balls",
    "bouncing_balls_curtain",
    "sprites",
]
"""Experiments on frames."""

SequenceExperimentName = Literal["chorales", "strokes", "speech", "handwriting"]
"""Experiments on sequences."""

ImageExperimentName = Literal["vae_mnist", "iwae_mnist"]
"""Experiments on images."""
