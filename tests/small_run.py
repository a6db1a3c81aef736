"""A small training that the tests start, stop and continue."""

import numpy as np
import torch

from inference import (
    TrainingConfig,
    fit,
    guides,
)
from models import SpatialMixture
from pyro_nem.data import ArrayFrames
from pyro_nem.networks import LocatedDecoder

CONFIG = TrainingConfig(
    updates=6, batch_size=4, warmup=2, log_every=1, validate_every=2, averaging=0.9
)


def frames(sequences=12, steps=3, seed=0):
    generator = np.random.default_rng(seed)
    features = generator.integers(0, 2, (steps + 1, sequences, 8, 8, 1), np.uint8)
    groups = generator.integers(0, 3, features.shape, np.uint8)
    return ArrayFrames(features, groups)


def build():
    torch.manual_seed(0)
    model = SpatialMixture(LocatedDecoder((8, 8, 1), 6, template=3), 2)
    return model, guides.RNNEM(model)


def run(directory=None, config=CONFIG, **options):
    model, guide = build()
    return fit(
        model,
        guide,
        frames(),
        validation=frames(5, seed=1),
        config=config,
        directory=directory,
        report=lambda line: None,
        **options,
    )


def numbers(records):
    return [{k: v for k, v in record.items() if k != "seconds"} for record in records]


def weights(found):
    return found.objective.state_dict()
