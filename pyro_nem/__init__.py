"""Neural Expectation Maximization as an explicit Pyro model: the materials, which know no model.

Data, networks, metrics and plots live here; :mod:`models` holds the generative program,
:mod:`inference` the guides, objective and training, :mod:`experiments` the commands.
"""

from pyro_nem.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    NumericalError,
    PyroNemError,
    StorageError,
)

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "NumericalError",
    "PyroNemError",
    "StorageError",
]
