"""A posterior as a file: ``posterior.nc``, which ArviZ opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray as xr

from pyro_nem.errors import DataError
from pyro_nem.files import replacing

__all__ = ["read_posterior", "write_posterior"]

# Axes of which a stored block holds one place. Draws of one frame then lie side by side in the
# block, and where they are alike they take next to no space.
_SINGLE = ("chain", "shown_sequence", "shown_step")


def write_posterior(tree: xr.DataTree, path: Path) -> None:
    """Write a tree as NetCDF 4, compressed; a reader finds the whole file or an earlier one.

    HDF5 writes into memory, a few dozen MB, and Python the file: HDF5 cannot close a file after a
    refused write without crashing (see :mod:`pyro_nem.data.atomic_file`).

    Parameters
    ----------
    tree
        What :func:`inference.diagnose` returned.
    path
        The file; its folder must exist.

    Raises
    ------
    StorageError
        If the system refuses to write.
    """
    content = tree.to_netcdf(None, engine="h5netcdf", encoding=_encoding(tree))
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def read_posterior(path: Path) -> xr.DataTree:
    """Read a file of :func:`write_posterior` into memory.

    ArviZ reads it as well: ``arviz.from_netcdf(path)``.

    Raises
    ------
    DataError
        If there is no such file, or it is none of ours.
    """
    if not path.is_file():
        raise DataError(
            f"{path}: expected the posterior of a run, found no file; a finished run of "
            "experiments.run has one"
        )
    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            found = tree.load()
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: is damaged or no NetCDF 4 file ({error}); write it again"
        ) from error
    if "sample_stats" not in found.children:
        raise DataError(
            f"{path}: expected the group sample_stats of inference.diagnose, found "
            f"{', '.join(found.children) or 'no group'}"
        )
    return found


def _encoding(tree: xr.DataTree) -> dict[str, dict[str, Any]]:
    encoding = {}
    for node in tree.subtree:
        encoding[node.path] = {
            str(name): {
                "zlib": True,
                "complevel": 4,
                "shuffle": True,
                "chunksizes": tuple(
                    1 if dim in _SINGLE else size for dim, size in values.sizes.items()
                ),
            }
            for name, values in node.data_vars.items()
        }
    return encoding
