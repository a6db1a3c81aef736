"""One small model and guide of each kind, and every objective, for tests that run over them all."""

import torch

from inference import BoundConfig
from inference.guides import RNEM, RNNEM, VRNN, GradientNEM
from models import RecurrentPrior, SpatialMixture
from pyro_nem.data import Clip
from pyro_nem.networks import (
    ConvDecoder,
    ConvEncoder,
    DenseDecoder,
    FlatEncoder,
    LocatedDecoder,
    RelationalCell,
    SigmoidCell,
    TiedDecoder,
)

SHAPE = (8, 8, 1)
PIXELS = 64
STATE = 6
CONTEXT = 5
VIEWS = ("masked-residual", "normalised-residual", "gamma", "psi", "frame", "unexplained")

DETERMINISTIC = [
    "n-em",
    "rnn-em, dense",
    "rnn-em, convolutional",
    "rnn-em, located",
    "r-nem, located",
    "r-nem, convolutional",
]
GUIDES = [*DETERMINISTIC, "vrnn"]

# For every guide, and for guides with a density.
OBJECTIVES = [
    BoundConfig("trace_enum"),
    BoundConfig("trace_enum", 3),
    BoundConfig("elbo"),
    BoundConfig("elbo", 3),
    BoundConfig("vae", 3),
    BoundConfig("iwae", 3),
]
STOCHASTIC_OBJECTIVES = [
    BoundConfig("elbo", 3, "stl"),
    BoundConfig("iwae", 3, "stl"),
    BoundConfig("iwae", 3, "dreg"),
    BoundConfig("elbo", 3, divergence="analytic"),
    BoundConfig("elbo", kl_warmup=4, free_nats=0.1),
]


def build(name, components):
    """Return a model and a guide in double precision."""
    torch.manual_seed(0)
    paper = {"views": ("masked-residual",), "gradient_psi": True}
    prior = RecurrentPrior(STATE, CONTEXT) if name == "vrnn" else None
    size = STATE + CONTEXT if name == "vrnn" else STATE
    decoders = {
        "n-em": TiedDecoder,
        "rnn-em, dense": DenseDecoder,
        "rnn-em, convolutional": ConvDecoder,
        "r-nem, convolutional": ConvDecoder,
    }
    if name in decoders:
        decoder = decoders[name](SHAPE, size)
    else:
        decoder = LocatedDecoder(SHAPE, size, template=3)
    model = SpatialMixture(decoder, components, prior=prior)
    if name == "n-em":
        guide = GradientNEM(model)
    elif name == "rnn-em, dense":
        cell = SigmoidCell(PIXELS, STATE)
        guide = RNNEM(model, FlatEncoder(SHAPE), cell, gradient_gamma=True, **paper)
    elif name == "rnn-em, convolutional":
        cell = SigmoidCell(512, STATE, normalise=True)
        guide = RNNEM(model, ConvEncoder(SHAPE), cell, **paper)
    elif name == "r-nem, convolutional":
        cell = RelationalCell(512, STATE, encoded_size=7, attention_size=4)
        guide = RNEM(model, ConvEncoder(SHAPE), cell, **paper)
    elif name == "r-nem, located":
        guide = RNEM(model, attention=False)
    elif name == "vrnn":
        guide = VRNN(model, gradient_gamma=True, gradient_psi=True)
    else:
        guide = RNNEM(model, views=VIEWS)
    return model.double(), guide.double()


def make_clip(steps, batch):
    """Return random binary frames."""
    generator = torch.Generator().manual_seed(1)
    frames = (torch.rand(steps + 1, batch, PIXELS, 1, generator=generator) < 0.3).double()
    return Clip(frames[:-1], frames[1:])
