"""Networks: encoders, recurrent cells and decoders of the components, which know no model."""

from pyro_nem.networks.cells import Cell, CellState, GatedCell, SigmoidCell
from pyro_nem.networks.layers import Encoder, UpsampleConv
from pyro_nem.networks.located import LocatedDecoder, PatchEncoder
from pyro_nem.networks.official import (
    ConvDecoder,
    ConvEncoder,
    DenseDecoder,
    FlatEncoder,
    TiedDecoder,
)

__all__ = [
    "Cell",
    "CellState",
    "ConvDecoder",
    "ConvEncoder",
    "DenseDecoder",
    "Encoder",
    "FlatEncoder",
    "GatedCell",
    "LocatedDecoder",
    "PatchEncoder",
    "SigmoidCell",
    "TiedDecoder",
    "UpsampleConv",
]
