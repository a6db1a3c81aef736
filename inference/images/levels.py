"""Images against a model of bits."""

from __future__ import annotations

import numpy as np

from models import ImageVAE
from pyro_nem.data import ImageSet
from pyro_nem.errors import ConfigError

__all__ = ["check_bits", "check_law_of_bits"]


def check_bits(model: ImageVAE, source: ImageSet) -> None:
    """Check that images are of bits, as many as a model describes.

    Raises
    ------
    ConfigError
        If they are grey, or have another number of pixels.
    """
    model.check(source)
    if not np.isin(source.levels, (0, 255)).all():
        raise ConfigError(
            f"data: expected images of 0 and 255, but those of {source.name} are grey, and a grey "
            "level has no likelihood; draw bits with data.binarised(seed)"
        )


def check_law_of_bits(model: ImageVAE) -> None:
    """Check that a model gives bits a likelihood and numbers between them none.

    Raises
    ------
    ConfigError
        If it gives grey levels one.
    """
    law = model.law_of_images
    like = next(model.parameters())
    support = law.law(like.new_zeros(law.num_parameters)).support
    if support.check(like.new_full((law.size,), 0.5)).all():
        raise ConfigError(
            "model: training draws bits from grey levels, but its output law, "
            f"{type(law).__name__}, describes the levels themselves; build it with BernoulliOutput"
        )
