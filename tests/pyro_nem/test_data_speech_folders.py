"""Recordings that a user has: WAV and SPHERE files, in the layouts of TIMIT and Blizzard."""

import os
import pickle
import resource

import numpy as np
import pytest
from small_speech import put_timit, sphere_bytes, wav_bytes, wave

from pyro_nem.data import blizzard, loaded, padded_batches, read_recording, read_wav, timit
from pyro_nem.errors import DataError


@pytest.mark.parametrize("order", ["01", "10"])
def test_a_sphere_file_is_read_in_either_byte_order(tmp_path, order):
    samples = wave(300, seed=0)
    (tmp_path / "SA1.WAV").write_bytes(sphere_bytes(samples, order=order))
    found = read_recording(tmp_path / "SA1.WAV")
    np.testing.assert_array_equal(loaded(found.samples), samples)
    assert found.rate == 16000


@pytest.mark.parametrize("folder", [".", "TIMIT", "timit"])
@pytest.mark.parametrize("sphere", [True, False])
def test_timit_is_split_by_speaker(tmp_path, folder, sphere):
    made = put_timit(tmp_path / folder, capitals=folder != "timit", sphere=sphere)
    found = timit(tmp_path)
    # Of 22 speakers the first and the 21st validate.
    assert [len(part) for part in (found.training, found.validation, found.test)] == [40, 4, 4]
    train = [samples for path, samples in made.items() if "train" in str(path).lower()]
    assert found.scaling.std[0] == pytest.approx(np.concatenate(train).std())
    held_out = [
        samples
        for path, samples in sorted(made.items())
        if "train" in str(path).lower() and path.parent.name.lower() in ("fxy00", "fxy03")
    ]
    np.testing.assert_array_equal(
        found.validation.sequences[0].ravel(), held_out[0][:600].astype(np.int16)
    )
    assert found.rate == 16000


@pytest.mark.parametrize("part", ["TRAIN", "TEST"])
def test_a_part_of_timit_without_recordings_says_so(tmp_path, part):
    for path in put_timit(tmp_path, speakers=2):
        if path.parts[-4] == part:
            path.rename(path.with_suffix(".flac"))
    with pytest.raises(DataError, match=rf"/{part}: expected recordings .*ends in .wav; copy them"):
        timit(tmp_path)


def test_blizzard_comes_in_pieces_of_half_a_second(tmp_path):
    for number in range(40):
        path = tmp_path / f"book{number // 20}" / f"{number:03}.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(wav_bytes(wave(17_000, seed=number), 16000))
    found = blizzard(tmp_path)
    # A file has two pieces of 40 frames, and 5 frames that are no piece.
    assert [len(part) for part in (found.training, found.validation, found.test)] == [72, 4, 4]
    assert {len(x) for x in found.test.sequences} == {40}
    halves = wave(17_000, seed=36)[:16_000].reshape(2, 8000)
    for piece, samples in zip(found.validation.sequences, halves, strict=False):
        np.testing.assert_array_equal(piece.ravel(), samples)
    train = np.concatenate([wave(17_000, seed=number) for number in range(36)])
    assert found.scaling.std[0] == pytest.approx(train.std())
    # Nothing is read before it is needed, and nothing is known of the piece before.
    assert isinstance(found.training.sequences[0], np.memmap)
    assert next(padded_batches(found.test, batch_size=2)).before is None


@pytest.mark.parametrize("sphere", [True, False])
def test_more_recordings_than_a_process_may_open_are_read(tmp_path, sphere):
    made = put_timit(tmp_path, sphere=sphere)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 12, limits[1]))
    try:
        found = timit(tmp_path)
        sent = pickle.loads(pickle.dumps(found.training))
        batch = next(padded_batches(sent, batch_size=40))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert batch.x.shape == (3, 40, 200)
    first = next(samples for path, samples in sorted(made.items()) if "FXY03" in str(path))
    frames = found.scaling.undo(batch.x[:, 0].numpy())
    np.testing.assert_allclose(frames.ravel(), first[:600], atol=0.01)
    # What is sent to another process is where the samples are.
    assert len(pickle.dumps(found.training)) < 400 * 40


def test_a_recording_that_is_gone_says_so(tmp_path):
    path = next(iter(put_timit(tmp_path)))
    found = timit(tmp_path)
    path.unlink()
    with pytest.raises(DataError, match=r"SA1.WAV: can no longer be read"):
        list(padded_batches(found.validation, batch_size=9))


def test_of_a_recording_that_is_there_twice_the_original_is_taken(tmp_path):
    made = put_timit(tmp_path)
    for path, samples in made.items():
        # As in the copies, whose header says the same of other samples here.
        path.with_name(f"{path.name}.wav").write_bytes(wav_bytes(samples // 2, 16000))
    lines = []
    found = timit(tmp_path, lines.append)
    assert [len(part) for part in (found.training, found.validation, found.test)] == [40, 4, 4]
    train = [samples for path, samples in made.items() if "TRAIN" in str(path)]
    assert found.scaling.std[0] == pytest.approx(np.concatenate(train).std())
    assert [line.split("SA1.WAV")[1].split(" are")[0] for line in lines] == [
        ".wav and 43 more",
        ".wav and 3 more",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"RIFF nothing", "expected a WAV file"),
        (b"", "expected a WAV file"),
        (wav_bytes(wave(9, 0))[:20], "one.wav: expected a WAV file, found a damaged one"),
        (wav_bytes(wave(9, 0)).replace(b"data", b"JUNK"), "found a damaged one .*; get it again"),
        (wav_bytes(wave(9, 0)).replace(b"\1\0\1\0", b"\1\0\0\0"), "found a damaged one"),
        (wav_bytes(np.zeros((5, 2), np.int16)), "one channel of 16-bit samples, found 2 of int16"),
        (wav_bytes(np.zeros(5, np.float32)), "found 1 of float32"),
        (
            sphere_bytes(wave(9, 0), sample_coding="-s26 pcm,embedded-shorten-v2.00"),
            "found coding pcm,embedded-shorten-v2.00.*w_decode",
        ),
        (sphere_bytes(wave(9, 0), channel_count="-i 2"), r"2 channel\(s\)"),
        (sphere_bytes(wave(9, 0), sample_count="-i 10"), "expected 10 samples"),
        (sphere_bytes(wave(9, 0), sample_rate=None), r"header is damaged .*sample_rate"),
        (b"NIST_1A\nmuch\n", "header is damaged"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    (tmp_path / "one.wav").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_recording(tmp_path / "one.wav")


def test_what_is_no_recording_is_left_out_and_what_cannot_be_read_is_named(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.wav").write_bytes(wav_bytes(wave(8000, seed=number)))
        (tmp_path / f"._{number}.wav").write_bytes(b"notes of macOS")
    (tmp_path / ".trash").mkdir()
    (tmp_path / ".trash" / "3.wav").write_bytes(b"")
    (tmp_path / "folder.wav").mkdir()
    assert len(blizzard(tmp_path).training) == 1
    (tmp_path / "4.wav").symlink_to("nowhere")
    with pytest.raises(DataError, match=r"4.wav: expected a recording, .*; get it again, or take"):
        blizzard(tmp_path)
    for read in (read_recording, lambda path: read_wav("folder", path)):
        with pytest.raises(DataError, match=r"folder.*: expected a .* directory"):
            read(tmp_path / "folder.wav")


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(DataError, match="expected TIMIT, with the folders TRAIN and TEST"):
        timit(tmp_path)
    (tmp_path / "file").touch()
    for read, name in ((timit, "TIMIT"), (blizzard, "Blizzard")):
        for place, found in (("nowhere", "nothing"), ("file", "a file")):
            with pytest.raises(DataError, match=f"expected a folder with {name}, found {found}"):
                read(tmp_path / place)
    with pytest.raises(DataError, match=r"at least three WAV files.*found 0"):
        blizzard(tmp_path)
    for number in range(3):
        (tmp_path / f"{number}.wav").write_bytes(wav_bytes(wave(7999 + (number > 0), 0)))
    with pytest.raises(DataError, match=r"training: expected at least one sequence, found none"):
        blizzard(tmp_path)
    for number, rate in enumerate((8000, 8000, 16000)):
        (tmp_path / f"{number}.wav").write_bytes(wav_bytes(wave(300, 0), rate))
    with pytest.raises(DataError, match=r"of one rate, found \[8000, 16000\]"):
        blizzard(tmp_path)
    for number in range(3):
        (tmp_path / f"{number}.wav").write_bytes(wav_bytes(np.zeros(300, np.int16)))
    with pytest.raises(DataError, match="expected sound, found 300 samples"):
        blizzard(tmp_path)
