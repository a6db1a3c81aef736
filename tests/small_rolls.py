"""A stand-in for the file of the chorales, so that tests need neither it nor a network."""

import hashlib
import io

import numpy as np
import pytest
from scipy.io import savemat

from pyro_nem.data import data_dir, polyphonic

NAME = "JSB_Chorales.mat"


def cells(lengths, generator):
    """Return rolls of so many steps as a MATLAB file has them."""
    rolls = np.empty((1, len(lengths)), object)
    for index, steps in enumerate(lengths):
        rolls[0, index] = (generator.random((steps, 88)) < 0.05).astype(np.uint8)
    return rolls


def put(folder, monkeypatch, **changes):
    """Write 4, 1 and 2 tunes, let them be the chorales, and return the file's content.

    An entry that is to be None is left out.
    """
    generator = np.random.default_rng(0)
    content = {
        "traindata": cells([9, 30, 12, 25], generator),
        "validdata": cells([8], generator),
        "testdata": cells([9, 5], generator),
        **changes,
    }
    file = io.BytesIO()
    savemat(file, {name: value for name, value in content.items() if value is not None})
    path = folder / "polyphonic" / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(file.getvalue())
    sha256 = hashlib.sha256(file.getvalue()).hexdigest()
    monkeypatch.setitem(polyphonic.TUNES, "jsb", polyphonic.TUNES["jsb"]._replace(sha256=sha256))
    monkeypatch.setenv("PYRO_NEM_DATA", str(folder))
    return content


MISSING = "the piano rolls are not in $PYRO_NEM_DATA"


def are_there():
    """Return whether the real rolls are on this machine."""
    folder = data_dir()
    return folder is not None and (folder / "polyphonic" / NAME).is_file()


needs_rolls = pytest.mark.skipif(not are_there(), reason=MISSING)
