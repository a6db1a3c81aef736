"""``run chorales`` end to end at smoke scale, and how its options become settings."""

import json

import numpy as np
import pytest
import small_rolls
import small_strokes

from experiments.run import main
from experiments.sequences import evaluate, generate
from experiments.sequences.assembly import build_objective
from experiments.sequences.config import SequenceExperiment
from experiments.sequences.load_data import load_data
from experiments.sequences.options import SequenceOptions
from experiments.sequences.resolving import default_directory, resolve, resume_settings
from inference import BoundConfig, RunDirectory, run_training
from models import SequenceVRNN
from pyro_nem.data import pen_strokes
from pyro_nem.errors import CheckpointError, ConfigError

pytestmark = pytest.mark.usefixtures("no_report")

BOUNDS = ["elbo", "fivo_4", "iwae_4"]


@pytest.fixture
def jsb(tmp_path, monkeypatch):
    small_rolls.put(tmp_path / "data", monkeypatch)


def run(folder, *options):
    return main(
        ["chorales", "--scale", "smoke", "--device", "cpu", "--run-dir", str(folder), *options]
    )


@pytest.mark.parametrize(
    ("options", "bounds"),
    [
        ((), BOUNDS),
        (("--objective", "fivo", "--smoothing", "off"), BOUNDS),
        (("--objective", "iwae", "--gradient", "dreg"), BOUNDS),
        (("--model", "rnn"), ["exact"]),
    ],
    ids=str,
)
def test_every_model_and_objective_runs(jsb, tmp_path, capsys, options, bounds):
    assert run(tmp_path / "run", *options) == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    found = {name.removeprefix("test.nll_") for name in summary if name.startswith("test.nll_")}
    assert sorted(found) == bounds
    assert summary["updates"] == 4
    assert summary["test.steps"] == 14
    assert summary["floor.independent"] > 5
    assert {"device", "commit", "command", "versions", "floor.markov"} <= set(summary)
    names = {path.name for path in (tmp_path / "run" / "figures").iterdir()}
    assert names == {"learning_curves.png", "rolls.png"}
    printed = capsys.readouterr().out
    assert "independent notes" in printed
    # Tunes of 9, 30, 12 and 25 steps in pieces of 20.
    assert "6 training sequences of 76 steps" in printed
    assert "update 4/4 | train loss" in printed


def test_strokes_run(tmp_path, monkeypatch, capsys):
    small_strokes.put(tmp_path / "data", monkeypatch)
    folder = tmp_path / "run"
    options = ["--scale", "smoke", "--device", "cpu", "--run-dir", str(folder)]
    assert main(["strokes", *options]) == 0
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["test.sequences"] == 4
    assert 0 < summary["floor.5-gram"] < 4
    assert summary["test.nll_elbo"] > 0
    assert (folder / "figures" / "strokes.png").is_file()
    drawing = [str(folder), "--device", "cpu", "--count", "1", "--steps", "3", "--continue", "2"]
    assert generate.main(drawing) == 0
    with np.load(folder / "generated" / "1from2-3steps-best-seed0" / "sequences.npz") as found:
        moves = found["sequences"]
    digits = pen_strokes()
    assert moves.shape == (1, 5, 4)
    numbers = digits.test.sequences[0][:2, 0]
    np.testing.assert_array_equal(moves[0, :2], digits.code.decode(numbers))
    assert moves[0, :2].any()
    assert main(["strokes", "--tunes", "jsb"]) == 2
    assert "--tunes: strokes has none" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [(), ("--replay", "0.5", "--curriculum", "3", "--batch-norm", "on")], ids=str
)
def test_a_run_is_stopped_and_continued(jsb, tmp_path, monkeypatch, capsys, options):
    assert run(tmp_path / "whole", *options) == 0

    class Impatient(run_training.Interruption):
        def requested(self):
            return True

    with monkeypatch.context() as patch:
        patch.setattr(run_training, "Interruption", Impatient)
        assert run(tmp_path / "parts", *options) == 130
    said = capsys.readouterr().out
    assert f"python -m experiments.run chorales --resume --run-dir {tmp_path / 'parts'}" in said
    folder = str(tmp_path / "parts")
    assert main(["chorales", "--resume", "--run-dir", folder, "--seed", "7"]) == 2
    assert "holds a run with training" in capsys.readouterr().err
    assert main(["chorales", "--resume", "--run-dir", folder]) == 0
    whole, parts = (
        json.loads((tmp_path / name / "summary.json").read_text()) for name in ("whole", "parts")
    )
    same = [name for name in whole if name.startswith(("test.", "floor."))]
    assert [whole[name] for name in same] == [parts[name] for name in same]
    assert main(["chorales", "--scale", "smoke", "--run-dir", folder]) == 2
    assert "holds a run already" in capsys.readouterr().err


def test_a_run_is_scored_again_by_other_numbers_of_particles(jsb, tmp_path, capsys):
    folder = tmp_path / "run"
    assert run(folder) == 0
    first = json.loads((folder / "summary.json").read_text())
    options = ["--device", "cpu", "--particles", "2", "3"]
    assert evaluate.main([str(folder), *options]) == 0
    assert "best.pt of update" in capsys.readouterr().out
    found = json.loads((folder / "evaluations" / "test-2-3particles-best-seed0.json").read_text())
    assert {name for name in found if name.startswith("test.nll_")} == {
        f"test.nll_{name}" for name in ("elbo", "iwae_2", "fivo_2", "iwae_3", "fivo_3")
    }
    # The same weights with other draws.
    assert found["test.nll_elbo"] == pytest.approx(first["test.nll_elbo"], rel=0.02)
    assert found["test.nll_elbo"] != first["test.nll_elbo"]
    # Draws of another seed are kept beside them.
    assert evaluate.main([str(folder), *options, "--seed", "3"]) == 0
    other = json.loads((folder / "evaluations" / "test-2-3particles-best-seed3.json").read_text())
    assert other["test.nll_elbo"] != found["test.nll_elbo"]
    assert evaluate.main([str(folder), *options, "--split", "validation"]) == 0
    assert (folder / "evaluations" / "validation-2-3particles-best-seed0.json").is_file()
    assert evaluate.main([str(tmp_path / "nowhere")]) == 2
    assert "config.json" in capsys.readouterr().err


def test_a_run_draws_and_goes_on_with_test_sequences(jsb, tmp_path, capsys):
    folder = tmp_path / "run"
    assert run(folder) == 0
    options = [str(folder), "--device", "cpu", "--steps", "7", "--count", "2"]
    assert generate.main(options) == 0
    # Six are two rows of three.
    assert generate.main([*options, "--count", "6"]) == 0
    assert (folder / "generated" / "6draws-7steps-best-seed0" / "rolls.png").is_file()
    assert generate.main([*options, "--continue", "4", "--seed", "3"]) == 0
    assert "of update" in capsys.readouterr().out
    places = [
        folder / "generated" / name
        for name in ("2draws-7steps-best-seed0", "2from4-7steps-best-seed3")
    ]
    for place, length, given in zip(places, (7, 11), (0, 4), strict=True):
        assert {path.name for path in place.iterdir()} == {
            *("generated.json", "rolls.png", "sequences.npz")
        }
        with np.load(place / "sequences.npz") as found:
            assert found["given"] == given
            rolls = found["sequences"]
        assert rolls.shape == (2, length, 88)
        assert set(np.unique(rolls)) <= {0.0, 1.0}
        assert "--steps 7" in json.loads((place / "generated.json").read_text())["command"]
    # Test tunes have 9 and 5 steps.
    for tune, roll in zip(load_data(settings(scale="smoke")).test.sequences, rolls, strict=True):
        np.testing.assert_array_equal(roll[:4], tune[:4])
    assert generate.main([*options, "--seed", "1"]) == 0
    again = np.load(folder / "generated" / "2draws-7steps-best-seed1" / "sequences.npz")
    assert (again["sequences"] != np.load(places[0] / "sequences.npz")["sequences"]).any()
    for wrong, message in (
        (["--continue", "5"], "has 1 sequences that are longer, fewer than --count 2"),
        (["--count", "0"], "--count: expected at least 1, got 0"),
        (["--continue", "-1"], "--continue: expected at least 0, got -1"),
    ):
        assert generate.main([*options, *wrong]) == 2
        assert message in capsys.readouterr().err


def settings(**options):
    return resolve(SequenceOptions("chorales", device="cpu", **options))[0]


@pytest.mark.parametrize(
    ("options", "bound", "resample"),
    [
        ({}, BoundConfig(divergence="analytic", kl_warmup=700), None),
        ({"scale": "paper"}, BoundConfig(divergence="analytic"), None),
        (
            {"objective": "vae", "particles": 3, "kl_warmup": 0},
            BoundConfig("vae", 3, divergence="analytic"),
            None,
        ),
        ({"gradient": "stl"}, BoundConfig(gradient="stl", kl_warmup=700), None),
        ({"objective": "iwae"}, BoundConfig("iwae", 4), None),
        ({"objective": "fivo", "particles": 8}, BoundConfig("iwae", 8), 0.5),
    ],
)
def test_an_objective_is_a_bound(options, bound, resample):
    found = settings(**options)
    assert (found.bound, found.resample) == (bound, resample)
    assert found.objective == options.get("objective", "elbo")


@pytest.mark.parametrize("scale", ["smoke", "laptop", "paper"])
@pytest.mark.parametrize("tunes", ["jsb", "nottingham"])
@pytest.mark.parametrize("model", ["vrnn", "vrnn-i", "rnn"])
def test_settings_survive_a_journey_through_json(scale, tunes, model):
    found = settings(scale=scale, tunes=tunes, model=model)
    again = SequenceExperiment.from_dict(json.loads(json.dumps(found.to_dict())), "here")
    assert again == found
    with pytest.raises(CheckpointError, match="missing or unknown: tunes"):
        SequenceExperiment.from_dict(
            {k: v for k, v in found.to_dict().items() if k != "tunes"}, "x"
        )


def test_models_are_what_their_names_say(jsb):
    for model, size, learned in (("vrnn", 8, True), ("vrnn-i", 8, False), ("rnn", 0, False)):
        objective = build_objective(
            chosen := settings(scale="smoke", model=model), load_data(chosen)
        )
        assert isinstance(objective.model, SequenceVRNN)
        assert objective.model.latent_size == size
        assert (objective.model.prior is not None) == learned
    one, two = (build_objective(chosen, load_data(chosen)).state_dict() for _ in range(2))
    assert all((one[name] == two[name]).all() for name in one)


def test_the_name_of_a_folder_tells_what_is_unusual():
    name = default_directory(settings(scale="laptop")).as_posix()
    assert name == "runs/chorales/laptop-jsb-vrnn-elbo-seed0"
    changed = settings(
        scale="laptop",
        objective="fivo",
        residual="off",
        layer_norm="on",
        hidden_size=32,
        updates=9,
        seed=3,
    )
    assert default_directory(changed).name == (
        "laptop-jsb-vrnn-fivo4-layer-norm-no-residual-hidden-size32-updates9-seed3"
    )
    name = default_directory(settings(scale="laptop", objective="elbo", kl_warmup=5)).name
    assert name == "laptop-jsb-vrnn-elbo-kl-warmup5-seed0"
    name = default_directory(settings(scale="laptop", model="rnn")).name
    assert name == "laptop-jsb-rnn-seed0"
    names = [default_directory(settings(divergence=kind)).name for kind in ("analytic", "sampled")]
    assert names[1] == names[0].replace("elbo", "elbo-sampled")
    everything = {"smoothing", "latent_size", "width", "layers", "chunk", "kl_warmup"}
    everything.add("curriculum")
    changes = [{option: "off" if option == "smoothing" else 3} for option in everything]
    changes += [{"replay": 0.3}, {"replay": 0.3, "memory": 3}, {"batch_norm": "on"}]
    changes.append({"curriculum": 3, "shortest": 3})
    names = {default_directory(settings(**change)).name for change in changes}
    assert len(names) == len(changes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "rnn", "objective": "iwae"}, "--objective: a model without latents"),
        ({"model": "rnn", "kl_warmup": 3}, "--kl-warmup: a model without latents"),
        ({"model": "rnn", "batch_norm": "on"}, "--batch-norm: a model without latents"),
        ({"replay": 1.0}, "replay: expected a share"),
        ({"memory": 7}, "--memory: has no effect without --replay"),
        ({"shortest": 7, "curriculum": 0}, "--shortest: has no effect without --curriculum"),
        ({"chunk": 0}, "--chunk: expected at least 1"),
        ({"latent_size": 0}, "--latent-size: expected at least 1"),
        ({"objective": "iwae", "divergence": "analytic"}, "closed form has no draws"),
        ({"objective": "fivo", "gradient": "dreg"}, "objective iwae with gradient standard"),
    ],
)
def test_contradictions_are_refused(jsb, options, message):
    with pytest.raises(ConfigError, match=message):
        build_objective(found := settings(scale="smoke", **options), load_data(found))


def test_a_continued_run_has_the_settings_of_its_folder(tmp_path):
    directory = RunDirectory(tmp_path / "run")
    found = settings(scale="smoke", objective="fivo", particles=8, smoothing="on")
    directory.create({"settings": found.to_dict()})
    same = SequenceOptions("chorales", resume=True, device="cpu", smoothing="on", objective="fivo")
    assert resume_settings(same, directory) == found
    for options in ({"smoothing": "off"}, {"objective": "iwae"}, {"tunes": "nottingham"}):
        asked = SequenceOptions("chorales", resume=True, device="cpu", **options)
        with pytest.raises(CheckpointError, match="holds a run with"):
            resume_settings(asked, directory)
