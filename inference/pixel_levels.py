"""The levels of frames against the law of a model's pixels."""

from __future__ import annotations

from models import BernoulliPixels, SpatialMixture
from pyro_nem.data import FrameSource
from pyro_nem.errors import ConfigError

__all__ = ["check_levels"]

# Grey frames are grey from the first on, and files may be large.
_SEQUENCES = 16


def check_levels(model: SpatialMixture, source: FrameSource) -> None:
    """Check that frames for Bernoulli pixels are black and white, by the first 16 sequences.

    Raises
    ------
    ConfigError
        If they hold other levels, of which a Bernoulli law has no probability.
    DataError
        If they hold values that no pixel can have.
    """
    if not isinstance(model.pixels, BernoulliPixels):
        return
    features, _ = source.read(0, min(source.num_sequences, _SEQUENCES))
    white = getattr(source, "white", 1)
    others = features[(features != 0) & (features != white)]
    if others.size:
        raise ConfigError(
            f"{source.name}: Bernoulli pixels expect frames of 0 and 1, found "
            f"{float(others[0]) / white:.4g}; give grey and coloured frames GaussianPixels (python "
            "-m experiments.run sprites has them), or make the frames black and white"
        )
