"""The errors that users meet.

Each message names the argument (or file and key), what was expected, what came and what to do.
The command line prints the message alone and exits with code 2.
"""

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "MemoryLimitError",
    "NumericalError",
    "ProcessError",
    "PyroNemError",
    "StorageError",
]


class PyroNemError(Exception):
    """Root of every error that this project raises on purpose."""


class ConfigError(PyroNemError):
    """An argument, option or combination of them that cannot work."""


class MemoryLimitError(ConfigError):
    """Data that need more memory than they may take."""


class DataError(PyroNemError):
    """A data file or array that is missing, damaged or of another layout."""


class CheckpointError(PyroNemError):
    """A checkpoint or run directory that is corrupt or belongs to something else."""


class StorageError(PyroNemError):
    """Writing failed, for instance because the disk is full; earlier files are untouched."""


class NumericalError(PyroNemError):
    """The computation left the numbers: a loss or gradient became NaN or infinite."""


class ProcessError(PyroNemError):
    """Another process of the same run failed, was killed or cannot be reached."""
