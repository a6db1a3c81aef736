"""Which experiment a command line of ``run`` names, wherever it stands."""

import re

import pytest

from experiments import run
from experiments.kinds import FRAMES, IMAGES, SEQUENCES


@pytest.fixture
def chosen(monkeypatch):
    """Let ``run`` tell the kind in the place of starting it."""
    for kind in ("frames", "sequences", "images"):
        monkeypatch.setattr(run, f"run_{kind}", lambda given, kind=kind: (kind, given))


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("vae_mnist --scale smoke", "images"),
        ("--scale smoke vae_mnist", "images"),
        ("--resume strokes", "sequences"),
        ("--help speech", "sequences"),
        ("--run-dir=somewhere handwriting", "sequences"),
        ("--seed -1 chorales", "sequences"),
        ("--run-dir strokes flying_shapes", "frames"),
        ("--run-dir flying_shapes strokes", "sequences"),
        ("flying_mnist --staged --run-dir chorales", "frames"),
        ("--help", "frames"),
        ("", "frames"),
    ],
)
def test_the_first_experiment_that_is_no_value_is_run(chosen, words, kind):
    assert run.main(words.split()) == (kind, words.split())


def test_options_may_stand_before_the_experiment(capsys):
    assert run.main(["--seed", "0", "--layers", "2", "vae_mnist"]) == 2
    assert "--layers: vae_mnist has one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "advice"),
    [("--scale smoke vae_mnst", "iwae_mnist; did you mean vae_mnist?"), ("balls", "iwae_mnist")],
)
def test_an_unknown_experiment_is_told_with_all_that_are_known(capsys, words, advice):
    assert run.main(words.split()) == 2
    name = words.split()[-1]
    said = capsys.readouterr().err
    assert said.startswith(f"error: {name}: expected one of flying_shapes, static_shapes, ")
    assert said.endswith(f"{advice}\n")


def test_help_names_every_experiment(capsys):
    with pytest.raises(SystemExit) as end:
        run.main(["--help"])
    assert end.value.code == 0
    printed = re.sub(r"[│\s]+", " ", capsys.readouterr().out)
    for kind in (FRAMES, SEQUENCES, IMAGES):
        for name in kind.names:
            assert name in printed
    assert "python -m experiments.run chorales --help" in printed
