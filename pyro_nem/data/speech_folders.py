"""TIMIT and Blizzard from folders that a user has; their licences forbid to pass them on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pyro_nem.data.folders import is_visible, require_folder
from pyro_nem.data.recordings import Recording, read_recording
from pyro_nem.data.speech import FRAME, Speech, to_speech
from pyro_nem.data.stored_rows import rows_of
from pyro_nem.errors import DataError

__all__ = ["blizzard", "timit"]

# Of TIMIT's 462 training speakers 24 validate. FIVO has about as many utterances, of all speakers.
_EVERY: Final = 20

# The published rows of half a second: 2,040,064 to train on, up to 2,152,704 to validate on.
_TRAINING, _VALIDATION = 0.90, 0.95

# Half a second at 16 kHz.
_PUBLISHED_FRAMES: Final = 40


def timit(folder: Path, report: Callable[[str], None] = print) -> Speech:
    """Return TIMIT from a folder in its own layout, `TRAIN/DR1/FCJF0/SA1.WAV` and so on.

    Names may be in capitals or not, and files SPHERE or WAV. A widespread copy has each recording
    twice, `SA1.WAV` as NIST made it and the converted `SA1.WAV.wav`; the first one is taken. Of the
    training speakers every 20th validates. Mean and standard deviation are those of the official
    training part.

    Parameters
    ----------
    folder
        Holds `TRAIN` and `TEST`, or a folder `TIMIT` that does.
    report
        Called with a line of text if recordings are there twice.

    Raises
    ------
    DataError
        There is no such folder, it has another layout, a part is without recordings, or a file
        cannot be read.
    """
    require_folder(folder, "TIMIT")
    places = [folder, *(path for path in _inside(folder) if path.name.lower() == "timit")]
    for place in places:
        parts = {path.name.lower(): path for path in _inside(place)}
        if {"train", "test"} <= set(parts):
            break
    else:
        raise DataError(
            f"{folder}: expected TIMIT, with the folders TRAIN and TEST, found "
            f"{sorted(path.name for path in _inside(folder))[:5]}"
        )
    files, test = (_once(_utterances(parts[name]), report) for name in ("train", "test"))
    speakers = sorted({path.parent for path in files})
    held_out = set(speakers[::_EVERY])
    recordings = {path: read_recording(path) for path in files}
    return to_speech(
        f"TIMIT in {place}",
        [recording for path, recording in recordings.items() if path.parent not in held_out],
        [recording for path, recording in recordings.items() if path.parent in held_out],
        [read_recording(path) for path in test],
        scaled_by=list(recordings.values()),
    )


def blizzard(folder: Path) -> Speech:
    """Return the recordings of a folder in the protocol that is published for Blizzard 2013.

    Sequences are half a second long, 40 frames at 16 kHz, and know nothing of what was before. What
    is over at the end of a file is left out. The first 90 % of the files, sorted by path, train,
    the next 5 % validate and the last ones test, which are the published shares of rows. Mean and
    standard deviation are those of the training files.

    Parameters
    ----------
    folder
        Holds WAV files, in folders of any depth. MP3 files have to be converted.

    Raises
    ------
    DataError
        There is no such folder, it has fewer than three files, one cannot be read, or all of a
        split are shorter than half a second.
    """
    require_folder(folder, "Blizzard")
    files = _sound_files(folder)
    if len(files) < 3:
        raise DataError(
            f"{folder}: expected at least three WAV files, one for each split, found {len(files)}; "
            "convert MP3 files, for instance by sox"
        )
    recordings: list[Recording] = [read_recording(path) for path in files]
    validation = min(max(1, round(_TRAINING * len(files))), len(files) - 2)
    test = min(max(validation + 1, round(_VALIDATION * len(files))), len(files) - 1)
    speech = to_speech(
        f"speech in {folder}",
        _halves(recordings[:validation]),
        _halves(recordings[validation:test]),
        _halves(recordings[test:]),
        scaled_by=recordings[:validation],
    )
    return replace(
        speech,
        training=speech.training.pieces(_PUBLISHED_FRAMES, connected=False),
        validation=speech.validation.pieces(_PUBLISHED_FRAMES, connected=False),
        test=speech.test.pieces(_PUBLISHED_FRAMES, connected=False),
    )


def _halves(recordings: Sequence[Recording]) -> list[Recording]:
    """Return recordings up to their last whole half second; all published rows are whole."""
    size = _PUBLISHED_FRAMES * FRAME
    return [
        recording._replace(
            samples=rows_of(recording.samples, 0, len(recording.samples) // size * size)
        )
        for recording in recordings
    ]


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error}); say where the data are") from error


def _sound_files(folder: Path) -> list[Path]:
    """Return the visible files whose names end in .wav, in whichever case, sorted by path."""
    named = (path for path in folder.rglob("*") if path.suffix.lower() == ".wav")
    # A link to nowhere is no folder, and has to be read to be missed.
    return sorted(path for path in named if is_visible(path, folder) and not path.is_dir())


def _utterances(part: Path) -> list[Path]:
    """Return the recordings of a part of TIMIT, of which there has to be one."""
    files = _sound_files(part)
    if not files:
        raise DataError(
            f"{part}: expected recordings such as DR1/FCJF0/SA1.WAV, found no file whose name ends "
            "in .wav; copy them there, and convert other formats, for instance by sox"
        )
    return files


def _once(files: Sequence[Path], report: Callable[[str], None]) -> list[Path]:
    """Return one file of each recording: where there are several, that of the shortest name."""
    found: dict[tuple[Path, str], Path] = {}
    for path in sorted(files, key=lambda path: (len(path.name), path)):
        found.setdefault((path.parent, path.name.lower().split(".")[0]), path)
    chosen = sorted(found.values())
    left = sorted(set(files) - set(chosen))
    if left:
        report(f"{left[0]} and {len(left) - 1} more are copies of other files and left out")
    return chosen
