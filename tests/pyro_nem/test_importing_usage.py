"""The example of the package runs as it stands."""

import textwrap
from pathlib import Path

from image_files import save_videos, videos

from pyro_nem import importing
from pyro_nem.data import HDF5Frames


def test_the_example_runs(tmp_path, monkeypatch):
    frames, masks = videos()
    monkeypatch.chdir(tmp_path)
    save_videos(Path("videos"), frames)
    save_videos(Path("masks"), masks)
    _, example = importing.__doc__.split("Usage::\n")
    exec(textwrap.dedent(example), {**vars(importing), "Path": Path})
    with HDF5Frames("mine.h5", "training") as written:
        assert written.num_sequences == 8
        assert written.image_shape == (64, 64, 3)
