"""Spoken digits: found, downloaded, checked, split and cut into frames."""

import io

import numpy as np
import pytest
import small_speech
from answers import answer
from scipy.io import wavfile
from small_speech import needs_speech

from pyro_nem.data import FRAME, pad, padded_batches, spoken_digits
from pyro_nem.errors import DataError


def samples_of(content, name):
    return wavfile.read(io.BytesIO(content[name]))[1]


def test_takes_are_split_as_the_data_set_says(tmp_path, monkeypatch):
    content = small_speech.put(tmp_path, monkeypatch)
    found = spoken_digits()
    assert [len(part) for part in (found.training, found.validation, found.test)] == [8, 20, 20]
    assert found.rate == 8000
    first = samples_of(content, "0_anna_0.wav")
    # 650 samples are three frames; the other 50 are left out.
    np.testing.assert_array_equal(found.test.sequences[0], first[:600].reshape(3, FRAME))
    np.testing.assert_array_equal(
        found.validation.sequences[0].ravel(), samples_of(content, "0_anna_5.wav")[:800]
    )
    np.testing.assert_array_equal(
        found.training.sequences[-1].ravel(), samples_of(content, "1_ben_11.wav")[:1000]
    )


def test_the_scaling_is_that_of_all_official_training_recordings(tmp_path, monkeypatch):
    content = small_speech.put(tmp_path, monkeypatch)
    found = spoken_digits()
    names = [name for name in content if int(name[:-4].split("_")[2]) >= 5]
    whole = np.concatenate([samples_of(content, name) for name in names]).astype(float)
    np.testing.assert_allclose(found.scaling.mean, np.full(FRAME, whole.mean()), atol=1e-6)
    np.testing.assert_allclose(found.scaling.std, np.full(FRAME, whole.std()), rtol=1e-9)
    batch = next(padded_batches(found.test.first(1), batch_size=1))
    raw = pad(found.test.sequences[:1]).x.double().numpy()
    np.testing.assert_allclose(batch.x.numpy(), found.scaling.apply(raw), atol=1e-5)
    np.testing.assert_allclose(found.scaling.undo(found.scaling.apply(raw)), raw, atol=1e-9)
    assert found.scaling.log_volume == pytest.approx(FRAME * np.log(whole.std()))
    assert found.test.pieces(2).scaling is found.scaling


def test_without_the_folder_the_archive_is_downloaded_once(tmp_path, monkeypatch):
    content = small_speech.takes()
    small_speech.publish(content, monkeypatch)
    monkeypatch.setenv("PYRO_NEM_DATA", str(tmp_path / "nothing"))
    monkeypatch.setenv("PYRO_NEM_CACHE", str(tmp_path / "cache"))
    damaged = {**content, "0_ben_3.wav": content["0_ben_4.wav"]}
    answers = [b"no archive", small_speech.archive(damaged), small_speech.archive(content)]
    answer(monkeypatch, *answers)
    for message in (
        "an archive of recordings, but",
        "expected the Free Spoken Digit Dataset, whose SHA-256",
    ):
        with pytest.raises(DataError, match=message):
            spoken_digits(report=lambda line: None)
    lines = []
    assert len(spoken_digits(lines.append).test) == 20
    assert "free-spoken-digit-dataset/archive/26eb9aaf76e8" in lines[0]
    assert len(spoken_digits(pytest.fail).test) == 20


def test_other_recordings_are_refused(tmp_path, monkeypatch):
    small_speech.put(tmp_path, monkeypatch)
    (tmp_path / "fsdd" / "recordings" / "1_ben_3.wav").unlink()
    with pytest.raises(DataError, match=r"found 47 whose is .*; remove the folder"):
        spoken_digits()


@needs_speech
def test_the_real_digits_have_the_measured_sizes():
    found = spoken_digits()
    assert [len(part) for part in (found.training, found.validation, found.test)] == [
        2400,
        300,
        300,
    ]
    assert found.test.num_steps == 5026
    assert found.scaling.mean[0] == pytest.approx(-31.6, abs=0.05)
    assert found.scaling.std[0] == pytest.approx(1994.9, abs=0.05)
