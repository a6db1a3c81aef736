"""The levels of images against a likelihood of bits."""

from __future__ import annotations

import numpy as np

from pyro_nem.data import ImageSet
from pyro_nem.errors import ConfigError

__all__ = ["check_bits"]


def check_bits(source: ImageSet) -> None:
    """Check that images are of bits.

    Raises
    ------
    ConfigError
        If they are grey.
    """
    if not np.isin(source.levels, (0, 255)).all():
        raise ConfigError(
            f"data: expected images of 0 and 255, but those of {source.name} are grey, and a grey "
            "level has no likelihood; draw bits with data.binarised(seed)"
        )
