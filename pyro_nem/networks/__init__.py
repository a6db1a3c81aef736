"""Networks: encoders, recurrent cells and decoders of the components, which know no model."""

from pyro_nem.networks.cells import Cell, CellState, GatedCell, SigmoidCell
from pyro_nem.networks.foveal import FovealEncoder
from pyro_nem.networks.interaction import Interaction
from pyro_nem.networks.layers import Encoder, UpsampleConv, glorot_
from pyro_nem.networks.located import LocatedDecoder, PatchEncoder
from pyro_nem.networks.official import (
    ConvDecoder,
    ConvEncoder,
    DenseDecoder,
    FlatEncoder,
    TiedDecoder,
)
from pyro_nem.networks.perceptron import perceptron
from pyro_nem.networks.relational import GatedRelationalCell, RelationalCell
from pyro_nem.networks.sparse_linear import SparseLinear

__all__ = [
    "Cell",
    "CellState",
    "ConvDecoder",
    "ConvEncoder",
    "DenseDecoder",
    "Encoder",
    "FlatEncoder",
    "FovealEncoder",
    "GatedCell",
    "GatedRelationalCell",
    "Interaction",
    "LocatedDecoder",
    "PatchEncoder",
    "RelationalCell",
    "SigmoidCell",
    "SparseLinear",
    "TiedDecoder",
    "UpsampleConv",
    "glorot_",
    "perceptron",
]
