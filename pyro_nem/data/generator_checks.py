"""Checks of the configurations of generators."""

from collections.abc import Mapping

import numpy as np

from pyro_nem.errors import ConfigError

__all__ = ["check_generator"]


def check_generator(config: object, least: Mapping[str, int]) -> None:
    """Check the numbers of a configuration, None standing for one that is not given.

    Parameters
    ----------
    config
        A dataclass.
    least
        The smallest value of each field; 1 for those that are not named.

    Raises
    ------
    ConfigError
        A number is smaller, or there are more objects than a byte can tell apart.
    """
    name = type(config).__name__
    for field, value in vars(config).items():
        if value is not None and value < least.get(field, 1):
            raise ConfigError(
                f"{name}.{field}: expected at least {least.get(field, 1)}, got {value}"
            )
    for field in ("objects", "most_objects"):
        most: int | None = getattr(config, field, None)
        if most is not None and most > np.iinfo(np.uint8).max:
            raise ConfigError(
                f"{name}.{field}: expected at most 255, got {most}; object ids are stored as uint8"
            )
