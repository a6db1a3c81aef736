"""``run chorales`` end to end at smoke scale."""

import json

import numpy as np
import pytest
import small_rolls
import small_strokes

from experiments.run import main
from experiments.sequences import evaluate, generate
from inference import run_training
from pyro_nem.data import pen_strokes, piano_rolls
from pyro_nem.metrics import ngram_symbols

pytestmark = pytest.mark.usefixtures("no_report")

BOUNDS = ["elbo", "fivo_4", "iwae_4"]


@pytest.fixture
def jsb(tmp_path, monkeypatch):
    small_rolls.put(tmp_path / "data", monkeypatch)


def run(folder, *options):
    return main(
        ["chorales", "--scale", "smoke", "--device", "cpu", "--run-dir", str(folder), *options]
    )


def change_settings(folder, **values):
    config = json.loads((folder / "config.json").read_text())
    config["settings"].update(values)
    (folder / "config.json").write_text(json.dumps(config))


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
    assert "6 training sequences, 76 steps in all" in printed
    assert "(s)" not in printed
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
    assert generate.main([str(folder), "--device", "cpu", "--count", "12", "--steps", "30"]) == 0
    with np.load(folder / "generated" / "12draws-30steps-best-seed0" / "sequences.npz") as found:
        drawn, lengths = found["sequences"], found["lengths"]
    assert drawn.shape == (12, 30, 4)
    assert len(set(lengths)) > 1
    for moves, length in zip(drawn, lengths, strict=True):
        # A digit has one end, and nothing behind it.
        assert moves[length - 1, 3] or length == 30
        assert not moves[: length - 1, 3].any()
        assert not moves[length:].any()
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
    assert "holds a run with seed 0 instead of 7, which" in capsys.readouterr().err
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
    assert (found["floor.markov"], found["test.sequences"]) == (first["floor.markov"], 2)
    assert evaluate.main([str(tmp_path / "nowhere")]) == 2
    assert "config.json" in capsys.readouterr().err


def test_a_run_without_latents_is_scored_without_particles(jsb, tmp_path, capsys):
    folder = tmp_path / "run"
    assert run(folder, "--model", "rnn") == 0
    options = [str(folder), "--device", "cpu"]
    assert evaluate.main([*options, "--particles", "16"]) == 2
    assert "--particles: has no effect on a model without latents" in capsys.readouterr().err
    assert not (folder / "evaluations").exists()
    assert evaluate.main([*options, "--sequences", "1"]) == 0
    (file,) = (folder / "evaluations").iterdir()
    assert file.name == "test-1sequences-best-seed0.json"
    found = json.loads(file.read_text())
    assert {name for name in found if "nll" in name} == {"test.nll_exact"}


@pytest.mark.parametrize("split", ["validation", "test"])
def test_more_sequences_are_scored_than_the_run_did(tmp_path, monkeypatch, capsys, split):
    small_strokes.put(tmp_path / "data", monkeypatch)
    folder = tmp_path / "run"
    assert main(["strokes", "--scale", "smoke", "--device", "cpu", "--run-dir", str(folder)]) == 0
    change_settings(folder, held_out=2)
    options = [str(folder), "--device", "cpu", "--particles", "2", "--split", split]
    whole = pen_strokes()
    source = getattr(whole, split)

    def scored(name):
        found = json.loads((folder / "evaluations" / f"{split}-2particles{name}.json").read_text())
        return found[f"{split}.sequences"], found["floor.1-gram"]

    def floor(count):
        training, symbols = whole.training, len(whole.code.tuples) + 1
        return ngram_symbols(training, source.first(count), symbols=symbols, order=1)

    assert evaluate.main(options) == 0
    assert scored("-best-seed0") == (2, pytest.approx(floor(2)))
    assert "1-gram" in capsys.readouterr().out
    assert evaluate.main([*options, "--sequences", "3"]) == 0
    assert scored("-3sequences-best-seed0") == (3, pytest.approx(floor(3)))
    assert floor(3) != pytest.approx(floor(2))
    many = str(len(source) + 1)
    assert evaluate.main([*options, "--sequences", many]) == 2
    assert f"holds {len(source)}, fewer than the {many} asked for" in capsys.readouterr().err
    assert evaluate.main([*options, "--sequences", "0"]) == 2
    assert "--sequences: expected at least 1, got 0" in capsys.readouterr().err


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
            assert found["lengths"].tolist() == [length, length]
            rolls = found["sequences"]
        assert rolls.shape == (2, length, 88)
        assert set(np.unique(rolls)) <= {0.0, 1.0}
        assert "--steps 7" in json.loads((place / "generated.json").read_text())["command"]
    # Test tunes have 9 and 5 steps.
    for tune, roll in zip(piano_rolls("jsb")["test"].sequences, rolls, strict=True):
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


def test_more_posteriors_than_test_sequences_are_refused(jsb, tmp_path, capsys):
    assert run(tmp_path / "run", "--posterior-sequences", "100") == 2
    said = capsys.readouterr().err
    assert "--posterior-sequences: what is scored of " in said
    assert "fewer than the 100 asked for" in said
    assert not (tmp_path / "run").exists()


def test_what_no_objective_has_is_refused_before_anything_is_written(jsb, tmp_path, capsys):
    folder = tmp_path / "run"
    assert run(folder, "--batch-norm", "on", "--gradient", "stl") == 2
    assert "use standard, or batch_norm off" in capsys.readouterr().err
    assert not folder.exists()
