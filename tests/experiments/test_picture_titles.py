"""What pictures of segmentations are called, for readers and on disk."""

import shutil

from experiments.evaluate import main
from experiments.frames import pictures


def test_titles_are_for_readers_and_names_tell_the_conditions(smoke_run, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    # Other tests may have scored the same run.
    shutil.copytree(smoke_run, folder, ignore=shutil.ignore_patterns("evaluations"))
    titles = []

    def noted(sample):
        titles.append(sample.title)
        return draw(sample)

    draw = pictures.overview_figure
    monkeypatch.setattr(pictures, "overview_figure", noted)
    options = ["--components", "4", "--sequences", "4", "--split", "validation"]
    assert main([str(folder), *options]) == 0
    assert titles == ["flying_shapes, validation sequence 0 (K = 4)"]
    stem = "validation-3objects-k4-t20-4sequences-best"
    drawn = {path.name for path in (folder / "evaluations").iterdir()}
    assert drawn == {f"{stem}.json", f"overview_{stem}_0.png", f"segmentation_{stem}.gif"}
