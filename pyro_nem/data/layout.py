"""The HDF5 layout of the published N-EM files, and the one function that writes it.

`<file>.h5` has a group for each split (`training`, `validation`, `test`); each group has datasets
with time first:

| key | shape | meaning |
|---|---|---|
| `features` | (T, N, rows, columns, C) | intensities in [0, 1] |
| `groups` | (T, N, rows, columns, 1) | 0: not scored (background or overlap); 1..n: object id |
| `collisions` | (T, N, rows, columns, 1) | 1: the object here met another one |

Only `features` have to be there; without `groups` no object is known. T = 1 marks static images.
Source: the released readers. The published files hold float32; this module stores whatever dtype it
is given, which is uint8 for binary images. Images of 8 bits are stored as they are, from 0 to 255;
their features then have the attribute `white`, 255, by which readers divide.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import h5py
from numpy.typing import NDArray

from pyro_nem.data.atomic_file import atomic_file
from pyro_nem.data.checks import check_labels, check_layout
from pyro_nem.errors import ConfigError, DataError

__all__ = ["SPLITS", "WHITE_KEY", "FrameBlock", "Split", "write_frames"]

SPLITS: Final = ("training", "validation", "test")
WHITE_KEY: Final = "white"

# A chunk holds whole sequences, so that reading a batch decompresses nothing twice, and stays
# near the size of HDF5's chunk cache.
_CHUNK_SEQUENCES: Final = 64
_CHUNK_BYTES: Final = 4 * 2**20
# gzip is in every build of HDF5. On flying shapes level 4 is a third smaller than level 1 and
# takes half as long again; level 9 takes 35 times as long.
_COMPRESSION: Final[dict[str, Any]] = {"compression": "gzip", "compression_opts": 4}


class FrameBlock(NamedTuple):
    """Some consecutive sequences of a split, as they lie in the file."""

    features: NDArray[Any]
    """Intensities from 0 to the split's `white`; shape `[T, n, rows, columns, C]`."""
    groups: NDArray[Any] | None = None
    """Object ids, 0 where not scored; shape `[T, n, rows, columns, 1]`. None if not known."""
    collisions: NDArray[Any] | None = None
    """1 on objects that met another one since the frame before, 0 elsewhere; shape of `groups`.

    None if that is not known.
    """


class Split(NamedTuple):
    """What one split of a file is to hold."""

    num_sequences: int
    """Sequences in all blocks together."""
    blocks: Iterable[FrameBlock]
    """The sequences in order; read once, so a generator keeps memory small."""
    white: int = 1
    """The stored value of full intensity; 255 for bytes."""


def write_frames(
    path: Path, splits: Mapping[str, Split], attributes: Mapping[str, str | int | float]
) -> None:
    """Write splits of frames to `path` in the published layout: all of the file or none of it.

    The file is written under a temporary name in the same folder, flushed to the disk and then
    renamed, so a reader never meets half a file and an earlier file survives any failure.

    Parameters
    ----------
    path
        The file to create or replace; its folder must exist.
    splits
        The splits by name, a subset of `SPLITS`.
    attributes
        What made the data (parameters, seed, generator, format version), stored on the root.

    Raises
    ------
    ConfigError
        `splits` is empty or has an unknown name.
    DataError
        The blocks of a split disagree in shape or in what they have, or do not add up to its
        `num_sequences`.
    StorageError
        The file system refused, for instance because the disk is full.
    """
    unknown = sorted(set(splits) - set(SPLITS))
    if unknown or not splits:
        raise ConfigError(
            f"splits: expected some of {', '.join(SPLITS)}, got {', '.join(unknown) or 'none'}"
        )
    with atomic_file(path) as target, h5py.File(target, "w", driver="fileobj") as file:
        file.attrs.update(attributes)
        for name, split in splits.items():
            group = file.create_group(name)
            for block, start in _checked_blocks(split, f"{path}, split {name!r}"):
                _write_block(group, block, start, split.num_sequences)
                target.check()
            if split.white != 1:
                group["features"].attrs[WHITE_KEY] = split.white


def _checked_blocks(split: Split, where: str) -> Iterator[tuple[FrameBlock, int]]:
    """Yield the blocks of a split, each with the number of sequences before it."""
    start = 0
    first: FrameBlock | None = None
    for block in split.blocks:
        check_layout(where, block.features, block.groups)
        if block.collisions is not None:
            check_labels(where, "collisions", block.collisions, block.features.shape)
        first = first or block
        stop = start + block.features.shape[1]
        expected = _with_sequences(first.features.shape, stop - start)
        if block.features.shape != expected or stop > split.num_sequences:
            raise DataError(
                f"{where}, key 'features': sequences {start} to {stop} of {split.num_sequences} "
                f"have shape {block.features.shape}, expected {expected}; every block must have "
                "the same frames and image, and num_sequences sequences in all"
            )
        for key in ("groups", "collisions"):
            has = getattr(block, key) is not None
            if has != (getattr(first, key) is not None):
                raise DataError(
                    f"{where}, key {key!r}: sequences {start} to {stop} are the first that "
                    f"{'have' if has else 'lack'} it; give it with every block or with none"
                )
        yield block, start
        start = stop
    if start != split.num_sequences or start == 0:
        raise DataError(
            f"{where}: expected {split.num_sequences} sequences (at least 1), the blocks hold "
            f"{start}; pass the number that the blocks really hold"
        )


def _write_block(group: h5py.Group, block: FrameBlock, start: int, num_sequences: int) -> None:
    """Write a block at sequence `start`, creating the datasets for the first."""
    for key, array in block._asdict().items():
        if array is None:
            continue
        if start == 0:
            _create_dataset(group, key, array, num_sequences)
        group[key][:, start : start + array.shape[1]] = array


def _create_dataset(group: h5py.Group, key: str, array: NDArray[Any], num_sequences: int) -> None:
    """Create an empty dataset for `num_sequences` sequences like those of `array`."""
    bytes_each = array.nbytes // array.shape[1]
    # A power of two, so that chunks divide the 64 sequences that are read at once.
    most = 1 << (max(1, _CHUNK_BYTES // bytes_each).bit_length() - 1)
    group.create_dataset(
        key,
        shape=_with_sequences(array.shape, num_sequences),
        dtype=array.dtype,
        chunks=_with_sequences(array.shape, min(num_sequences, _CHUNK_SEQUENCES, most)),
        **_COMPRESSION,
    )


def _with_sequences(shape: tuple[int, ...], num_sequences: int) -> tuple[int, ...]:
    """Return `[T, n, ...]` with n replaced."""
    return (shape[0], num_sequences, *shape[2:])
