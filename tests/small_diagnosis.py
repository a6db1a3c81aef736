"""Models and labelled frames for diagnoses that take a second."""

import small_run
import torch

from inference import guides
from models import RecurrentPrior, SpatialMixture
from pyro_nem.data import ArrayFrames
from pyro_nem.networks import LocatedDecoder

SIZE = {"restarts": 3, "draws": 40, "shown_sequences": 3, "shown_steps": 2, "pairs": 6}


def vrnn():
    torch.manual_seed(0)
    decoder = LocatedDecoder((8, 8, 1), 6 + 5, template=3)
    model = SpatialMixture(decoder, 2, prior=RecurrentPrior(6, 5))
    return model, guides.VRNN(model)


def frames(sequences=5):
    """Labelled frames, the second sequence without any object."""
    source = small_run.frames(sequences, steps=4)
    features, groups = source.read(0, sequences)
    groups = groups.copy()
    groups[:, 1] = 0
    return ArrayFrames(features, groups)
