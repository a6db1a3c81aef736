"""Stand-ins for recordings of speech, so that tests need neither them nor a network."""

import io
import sys
import tarfile

import numpy as np
import pytest
from scipy.io import wavfile

from pyro_nem.data import data_dir, spoken_digits

SPEAKERS = ("anna", "ben")
TAKES = 12


def wave(samples, seed, loudness=1000.0):
    """Return a noisy tone, 16 bits."""
    generator = np.random.default_rng(seed)
    tone = np.sin(0.3 * np.arange(samples)) + 0.3 * generator.normal(size=samples)
    return (loudness * tone).astype(np.int16)


def wav_bytes(samples, rate=8000):
    file = io.BytesIO()
    wavfile.write(file, rate, samples)
    return file.getvalue()


def sphere_bytes(samples, rate=16000, order="01", **fields):
    """Return a SPHERE file as those of TIMIT; `fields` replace lines of the header."""
    lines = {
        "sample_count": f"-i {len(samples)}",
        "sample_n_bytes": "-i 2",
        "channel_count": "-i 1",
        "sample_byte_format": f"-s2 {order}",
        "sample_rate": f"-i {rate}",
        **fields,
    }
    text = "".join(f"{name} {value}\n" for name, value in lines.items() if value is not None)
    header = f"NIST_1A\n   1024\n{text}end_head\n".encode().ljust(1024)
    return header + samples.astype("<i2" if order == "01" else ">i2").tobytes()


def takes():
    """Return what stands for the recordings: name -> content."""
    return {
        f"{digit}_{speaker}_{take}.wav": wav_bytes(wave(650 + 40 * take, seed=100 * take + digit))
        for digit in (0, 1)
        for speaker in SPEAKERS
        for take in range(TAKES)
    }


def put(folder, monkeypatch):
    """Write 48 recordings, let them be the spoken digits, and return them."""
    content = takes()
    recordings = folder / "fsdd" / "recordings"
    recordings.mkdir(parents=True)
    for name, stored in content.items():
        (recordings / name).write_bytes(stored)
    publish(content, monkeypatch)
    monkeypatch.setenv("PYRO_NEM_DATA", str(folder))
    return content


def publish(content, monkeypatch):
    """Let recordings be the published ones."""
    module = sys.modules[spoken_digits.__module__]
    sha256 = module.recordings_digest(content)
    monkeypatch.setattr(module, "ARCHIVE", module.ARCHIVE._replace(sha256=sha256))


def archive(content):
    """Return recordings as GitHub packs a repository."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        for name, stored in {**content, "../README.md": b"spoken digits"}.items():
            member = tarfile.TarInfo(f"free-spoken-digit-dataset-26eb9aa/recordings/{name}")
            member.size = len(stored)
            file.addfile(member, io.BytesIO(stored))
    return packed.getvalue()


def put_timit(folder, *, capitals=True, sphere=True, speakers=22):
    """Write recordings in the layout of TIMIT and return them: path -> samples."""
    made = {}
    for part, count in (("TRAIN", speakers), ("TEST", 2)):
        for speaker in range(count):
            for sentence in ("SA1", "SX9"):
                name = f"{part}/DR{1 + speaker % 3}/FXY{speaker:02}/{sentence}.WAV"
                path = folder / (name if capitals else name.lower())
                path.parent.mkdir(parents=True, exist_ok=True)
                samples = wave(700, seed=len(made))
                path.write_bytes(sphere_bytes(samples) if sphere else wav_bytes(samples, 16000))
                path.with_suffix(".PHN").write_text("0 700 h#\n")
                made[path] = samples
    return made


MISSING = "the spoken digits are not in $PYRO_NEM_DATA"


def are_there():
    """Return whether the real recordings are on this machine."""
    folder = data_dir()
    return folder is not None and (folder / "fsdd" / "recordings").is_dir()


needs_speech = pytest.mark.skipif(not are_there(), reason=MISSING)
