"""Whether the parts that a guide is built of fit its model."""

from __future__ import annotations

from typing import cast

from torch import nn

from models import SpatialMixture
from pyro_nem.errors import ConfigError
from pyro_nem.networks import Cell

__all__ = ["check_cell", "require_no_context"]


def check_cell(cell: nn.Module, size: int, reader: str) -> None:
    """Check that the state of a cell has the size that its reader in the model takes.

    Raises
    ------
    ConfigError
        If it has another.
    """
    own = cast(Cell, cell).state_size
    if own != size:
        raise ConfigError(
            f"cell: carries a state of size {own}, but the model's {reader} reads one of size "
            f"{size}; build both with the same size"
        )


def require_no_context(model: SpatialMixture) -> None:
    """Check that the states of a model are all that its prior and its decoder read.

    Raises
    ------
    ConfigError
        If they read a context too, which this guide does not give.
    """
    if model.prior.context_size:
        raise ConfigError(
            f"model: its prior reads a context of size {model.prior.context_size}, which this "
            "guide does not have; use the guide VRNN, or build the model without prior="
        )
