"""``run speech`` and ``run handwriting`` end to end at smoke scale, and their settings."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import small_handwriting
import small_speech
from scipy.io import wavfile

from experiments.run import main
from experiments.sequences import evaluate, generate
from experiments.sequences.assembly import build_objective
from experiments.sequences.config import SequenceExperiment
from experiments.sequences.load_data import load_data
from experiments.sequences.options import SequenceOptions
from experiments.sequences.resolving import default_directory, resolve, resume_settings
from inference import RunDirectory
from models import AutoregressiveOutput, GaussianMixtureOutput, GaussianOutput, PenOutput
from pyro_nem.errors import CheckpointError, ConfigError

pytestmark = pytest.mark.usefixtures("no_report")


def run(folder, experiment, *options):
    scale = ["--scale", "smoke", "--device", "cpu", "--run-dir", str(folder)]
    assert main([experiment, *scale, *options]) == 0
    return json.loads((folder / "summary.json").read_text())


@pytest.mark.parametrize(
    ("options", "bound"),
    [
        ((), "elbo"),
        (("--law", "gaussian", "--model", "vrnn-i"), "elbo"),
        (("--law", "mixture", "--components", "2"), "elbo"),
        (("--law", "mixture", "--components", "2", "--model", "rnn"), "exact"),
        (("--law", "gaussian", "--model", "rnn"), "exact"),
    ],
    ids=str,
)
def test_speech_is_scored_by_frame_and_by_sample(tmp_path, monkeypatch, capsys, options, bound):
    small_speech.put(tmp_path / "data", monkeypatch)
    summary = run(tmp_path / "run", "speech", *options)
    frame, std = summary[f"test.nll_{bound}"], summary["scaling.std"]
    sample = summary[f"test.sample_log_likelihood_{bound}"]
    assert sample == pytest.approx(-frame / 200)
    # Samples times s have a density that is lower by exactly ln s each.
    recorded = summary[f"test.sample_log_likelihood_recorded_{bound}"]
    assert recorded == pytest.approx(sample - math.log(std))
    for name in ("frame_volume", "moving_variance"):
        floor = summary[f"floor.{name}"]
        assert summary[f"floor.sample_log_likelihood_{name}"] == pytest.approx(-floor / 200)
    assert summary["rate"] == 8000
    printed = capsys.readouterr().out
    assert "column 2: log-likelihood, nats a sample, higher is better\n" in printed
    assert "column 3: the same in units of the recordings, higher is better\n" in printed
    line = next(line for line in printed.splitlines() if "AR(20), moving variance" in line)
    assert float(line.split()[-2]) == pytest.approx(-floor / 200, abs=6e-4)


def test_speech_is_drawn_and_can_be_heard(tmp_path, monkeypatch):
    small_speech.put(tmp_path / "data", monkeypatch)
    run(tmp_path / "run", "speech")
    figures = tmp_path / "run" / "figures"
    names = {path.name for path in figures.iterdir()}
    assert names == {
        "learning_curves.png",
        "waveforms.png",
        *(f"test_sequence_{n}.wav" for n in range(3)),
        *(f"sequence_{n}_continued.wav" for n in range(3)),
        *(f"draw_{n}.wav" for n in range(3)),
    }
    rate, given = wavfile.read(figures / "test_sequence_0.wav")
    assert (rate, len(given)) == (8000, 600)
    found = load_data(settings("speech")).test.sequences[0]
    assert np.abs(found.ravel().astype(int) - given).max() <= 1
    _, continued = wavfile.read(figures / "sequence_0_continued.wav")
    assert len(continued) == 48 * 200
    assert np.abs(continued[:400].astype(int) - given[:400]).max() <= 1
    options = ["--device", "cpu", "--continue", "2", "--steps", "1", "--count", "1"]
    assert generate.main([str(tmp_path / "run"), *options]) == 0
    place = tmp_path / "run" / "generated" / "1from2-1steps-best-seed0"
    rate, continued = wavfile.read(place / "sequence_0_continued.wav")
    assert (rate, len(continued)) == (8000, 600)
    with np.load(place / "sequences.npz") as stored:
        frames = stored["sequences"][0].ravel()
    np.testing.assert_allclose(frames[:400], found.ravel()[:400], atol=0.1)
    assert np.abs(frames.clip(-(2**15), 2**15 - 1) - continued).max() <= 1


def test_handwriting_is_scored_in_units_of_the_recorder_too(tmp_path, monkeypatch, capsys):
    small_handwriting.put(tmp_path / "data", monkeypatch)
    summary = run(tmp_path / "run", "handwriting")
    offset = 2.0 * math.log(summary["scaling.std"])
    for name in ("test.{}_elbo", "test.{}_fivo_4", "floor.{}_linear_moves"):
        scaled, recorded = name.format("nll"), name.format("nll_recorded")
        if name.startswith("floor"):
            scaled = "floor.linear_moves"
        assert summary[recorded] == pytest.approx(summary[scaled] + offset)
    figures = {path.name for path in (tmp_path / "run" / "figures").iterdir()}
    assert figures == {"handwriting.png", "learning_curves.png"}
    capsys.readouterr()
    options = ["--device", "cpu", "--particles", "2", "--split", "validation"]
    assert evaluate.main([str(tmp_path / "run"), *options]) == 0
    printed = capsys.readouterr().out
    assert "column 2: nats a step in units of the recorder, lower is better\n" in printed
    path = tmp_path / "run" / "evaluations" / "validation-2particles-best-seed0.json"
    found = json.loads(path.read_text())
    assert found["validation.nll_recorded_iwae_2"] == pytest.approx(
        found["validation.nll_iwae_2"] + offset
    )
    assert found["scaling.std"] == summary["scaling.std"]
    summary = run(tmp_path / "rnn", "handwriting", "--model", "rnn", "--normalisation", "published")
    assert math.log(summary["scaling.std"]) == pytest.approx(0.5 * (offset + math.log(2)))


def test_folders_that_a_user_has(tmp_path):
    iam = tmp_path / "iam"
    small_handwriting.put_iam(iam)
    given = ["--data-dir", str(iam), "--batch-size", "2"]
    summary = run(tmp_path / "run", "handwriting", "--corpus", "iam", *given)
    assert summary["test.sequences"] == 2
    # Nothing but the folder of the run is needed to score it again.
    assert evaluate.main([str(tmp_path / "run"), "--device", "cpu", "--particles", "1"]) == 0
    blizzard = tmp_path / "blizzard"
    blizzard.mkdir()
    for number in range(6):
        samples = small_speech.wave(8100, seed=number)
        (blizzard / f"{number}.wav").write_bytes(small_speech.wav_bytes(samples, 16000))
    found = settings("speech", corpus="blizzard", data_dir=blizzard)
    assert load_data(found).rate == 16000
    with pytest.raises(ConfigError, match="expected the folder where you have timit"):
        settings("speech", corpus="timit")


def settings(experiment, **options):
    options = {"scale": "smoke", **options}
    return resolve(SequenceOptions(experiment, device="cpu", **options))[0]


@pytest.mark.parametrize(
    ("experiment", "options", "law"),
    [
        ("speech", {}, AutoregressiveOutput),
        ("speech", {"law": "gaussian"}, GaussianOutput),
        ("speech", {"law": "mixture", "components": 4}, GaussianMixtureOutput),
        ("handwriting", {"components": 4}, PenOutput),
    ],
)
def test_laws_are_what_their_names_say(tmp_path, monkeypatch, experiment, options, law):
    small_speech.put(tmp_path / "speech", monkeypatch)
    if experiment == "handwriting":
        small_handwriting.put(tmp_path / "pen", monkeypatch)
    found = settings(experiment, **options)
    output = build_objective(found, load_data(found)).model.output
    assert type(output) is law
    assert getattr(output, "components", None) == options.get("components")
    if experiment == "speech":
        # No law is narrower than a step of the 16 bits.
        std = load_data(found).scaling.std[0]
        assert output.min_scale == pytest.approx(1.0 / std)


@pytest.mark.parametrize("scale", ["smoke", "laptop", "paper"])
@pytest.mark.parametrize(
    ("experiment", "corpus"),
    [("speech", "digits"), ("speech", "timit"), ("handwriting", "omniglot")],
)
@pytest.mark.parametrize("model", ["vrnn", "rnn"])
def test_settings_survive_a_journey_through_json(scale, experiment, corpus, model, tmp_path):
    folder = tmp_path if corpus == "timit" else None
    found = settings(experiment, scale=scale, corpus=corpus, model=model, data_dir=folder)
    again = SequenceExperiment.from_dict(json.loads(json.dumps(found.to_dict())), "here")
    assert again == found


def test_the_paper_scale_has_the_published_sizes(tmp_path):
    def sizes(experiment, corpus, **options):
        folder = None if corpus in ("digits", "omniglot") else tmp_path
        found = settings(experiment, corpus=corpus, data_dir=folder, scale="paper", **options)
        return found.hidden_size, found.latent_size, found.width, found.training.batch_size

    assert sizes("speech", "blizzard") == (4000, 200, 500, 128)
    assert sizes("speech", "timit", model="rnn") == (2000, 0, 800, 64)
    assert sizes("handwriting", "iam") == (1200, 50, 150, 20)
    # The baselines with a mixture are narrower than those without.
    assert sizes("speech", "blizzard", model="rnn") == (4000, 0, 800, 128)
    assert sizes("speech", "blizzard", model="rnn", law="mixture") == (4000, 0, 700, 128)
    assert sizes("handwriting", "iam", model="rnn") == (1200, 0, 300, 20)
    assert sizes("handwriting", "iam", model="rnn", components=1) == (1200, 0, 340, 20)
    assert settings("speech", scale="paper").output == "gaussian"
    assert settings("speech", scale="laptop").output == "autoregressive"
    assert settings("speech", scale="paper", law="mixture").components == 20


def test_the_name_of_a_folder_tells_the_law():
    def name(experiment, **options):
        return default_directory(settings(experiment, scale="laptop", **options)).as_posix()

    assert name("speech") == "runs/speech/laptop-digits-autoregressive-vrnn-elbo-seed0"
    assert name("speech", law="mixture", components=5, model="rnn") == (
        "runs/speech/laptop-digits-mixture-components5-rnn-seed0"
    )
    assert name("handwriting") == "runs/handwriting/laptop-omniglot-vrnn-elbo-seed0"
    assert name("handwriting", normalisation="published", components=1) == (
        "runs/handwriting/laptop-omniglot-published-components1-vrnn-elbo-seed0"
    )


def test_runs_on_different_folders_of_a_user_do_not_share_one(tmp_path, monkeypatch):
    def name(data_dir, **options):
        found = settings("speech", corpus="timit", data_dir=data_dir, **options)
        return default_directory(found).name

    one, two = tmp_path / "a" / "timit", tmp_path / "b" / "timit"
    assert re.fullmatch(r"smoke-timit-timit-[0-9a-f]{6}-autoregressive-vrnn-elbo-seed0", name(one))
    assert name(one) != name(two)
    one.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a")
    # However the folder is called it is the same one, and found from anywhere.
    assert name(Path("timit")) == name(one)
    found = settings("speech", corpus="timit", data_dir=Path("timit"))
    assert found.data_dir == str(one)
    usual = settings("handwriting", corpus="iam", data_dir=one, model="rnn", scale="paper")
    assert "width" not in default_directory(usual).name


@pytest.mark.parametrize(
    ("experiment", "options", "message"),
    [
        ("speech", {"tunes": "jsb"}, "--tunes: speech has none"),
        ("chorales", {"corpus": "iam"}, "--corpus: chorales has none"),
        ("speech", {"corpus": "iam"}, "--corpus: iam is handwriting, not speech"),
        ("handwriting", {"corpus": "digits"}, "--corpus: digits is speech, not handwriting"),
        ("handwriting", {"law": "gaussian"}, "--law: is for speech"),
        ("strokes", {"normalisation": "pooled"}, "--normalisation: is for handwriting"),
        ("speech", {"components": 3}, "--components: expected a number from 1, with"),
        ("handwriting", {"components": 0}, "--components: expected a number from 1.*got 0"),
        ("speech", {"data_dir": Path("here")}, "--data-dir: is for timit, blizzard, iam"),
    ],
)
def test_contradictions_are_refused(experiment, options, message):
    with pytest.raises(ConfigError, match=message):
        settings(experiment, **options)


def test_a_continued_run_has_the_settings_of_its_folder(tmp_path):
    directory = RunDirectory(tmp_path / "run")
    found = settings("speech", law="mixture", components=2)
    directory.create({"settings": found.to_dict()})

    def resumed(**options):
        asked = SequenceOptions("speech", resume=True, device="cpu", **options)
        return resume_settings(asked, directory)

    assert resumed() == resumed(law="mixture", components=2, corpus="digits") == found
    # Nothing but what was typed can be left out.
    for options, different in (
        ({"law": "gaussian"}, "law mixture instead of gaussian"),
        ({"components": 3}, "components 2 instead of 3"),
        ({"corpus": "timit"}, "corpus digits instead of timit"),
        ({"objective": "iwae"}, "objective elbo instead of iwae"),
    ):
        with pytest.raises(CheckpointError, match=f"holds a run with {different}, which"):
            resumed(**options)
