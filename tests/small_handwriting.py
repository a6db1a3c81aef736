"""Stand-ins for recorded movements of a pen, so that tests need neither them nor a network."""

import hashlib
import io
import sys
import zipfile

import numpy as np
import pytest

from pyro_nem.data import data_dir, omniglot

CELL = 0.75


def stroke(points, seed):
    """Return rows of x, y (upwards, from -105 to 0) and milliseconds, places on a grid."""
    generator = np.random.default_rng(seed)
    places = CELL * np.cumsum(generator.integers(-2, 3, (points, 2)), axis=0)
    times = np.cumsum(generator.integers(1, 40, points)) - 1
    return np.column_stack([50 + places[:, 0], -50 + places[:, 1], times])


def drawing(seed):
    """Return strokes of 9, 1 and 14 points."""
    return [stroke(points, 10 * seed + n) for n, points in enumerate((9, 1, 14))]


def as_text(strokes):
    lines = ["START"]
    for rows in strokes:
        lines += [f"{x:.6f},{y:.6f},{t:.0f}" for x, y, t in rows]
        lines.append("BREAK")
    return "\n".join([*lines, ""])


def drawings():
    """Return what stands for Omniglot: set -> name -> text. The sets share one character."""
    sets = {}
    for number, characters in ((1, (1, 2)), (2, (2, 3))):
        folder = f"strokes_background_small{number}"
        sets[number] = {
            f"{folder}/Latin/character{c:02}/0{c}_{d:02}.txt": as_text(drawing(100 * c + d))
            for c in characters
            for d in range(1, 21)
        }
        sets[number][f"__MACOSX/{folder}/._character01"] = "nothing"
    return sets


def put(folder, monkeypatch, **changes):
    """Write 60 drawings, let them be Omniglot, and return the texts by set and name."""
    content = drawings()
    for name, text in changes.items():
        content[1][name] = text
    (folder / "omniglot_strokes").mkdir(parents=True)
    module = sys.modules[omniglot.__module__]
    files = []
    for file, texts in zip(module.FILES, content.values(), strict=True):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
        (folder / "omniglot_strokes" / file.name).write_bytes(packed.getvalue())
        files.append(file._replace(sha256=hashlib.sha256(packed.getvalue()).hexdigest()))
    monkeypatch.setattr(module, "FILES", files)
    monkeypatch.setenv("PYRO_NEM_DATA", str(folder))
    return content


LINE = """<?xml version="1.0" encoding="ISO-8859-1"?>
<WhiteboardCaptureSession>
  <WhiteboardDescription><SensorLocation corner="top_left"/></WhiteboardDescription>
  <StrokeSet>{strokes}</StrokeSet>
</WhiteboardCaptureSession>
"""


def put_iam(folder):
    """Write lines in the layout of IAM-OnDB and return their strokes by form and line."""
    lines = {}
    forms = {"trainset.txt": ["a01-000u", "a01-001z"], "testset_v.txt": ["b04-010x"]}
    forms["testset_f.txt"] = ["c03-000a"]
    for name, members in forms.items():
        (folder / "task1").mkdir(parents=True, exist_ok=True)
        (folder / "task1" / name).write_text("".join(f" {form}\n" for form in members))
        for form in [*members, f"{members[0]}-not-listed"]:
            for number in (1, 2):
                strokes = [100 + rows[:, :2].round() for rows in drawing(len(lines))]
                marks = "".join(
                    '<Stroke colour="black" start_time="1.0" end_time="2.0">'
                    + "".join(f'<Point x="{x:.0f}" y="{y:.0f}" time="1.5"/>' for x, y in places)
                    + "</Stroke>"
                    for places in strokes
                )
                path = folder / "lineStrokes" / form[:3] / form[:7] / f"{form}-{number:02}.xml"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(LINE.format(strokes=marks))
                lines[form, number] = strokes
    return lines


MISSING = "the strokes of Omniglot are not in $PYRO_NEM_DATA"


def are_there():
    """Return whether the real files are on this machine."""
    folder = data_dir()
    return folder is not None and (folder / "omniglot_strokes").is_dir()


needs_omniglot = pytest.mark.skipif(not are_there(), reason=MISSING)
