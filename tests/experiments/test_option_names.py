"""Errors name what was typed, whatever the field of the settings is called."""

import pytest

from experiments import compare, evaluate, run, sweep

IWAE = "--guide vrnn --objective iwae"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("flying_shapes --updates 0", "--updates: expected at least 1, got 0"),
        ("flying_shapes --learning-rate -1", "--learning-rate: expected a positive number"),
        ("flying_shapes --noise 2", "--noise: expected a number in [0, 1], got 2.0"),
        (f"flying_shapes {IWAE} --kl-warmup 10", "--kl-warmup, --free-nats: the importance-w"),
        ("chorales --batch-size 0", "--batch-size: expected at least 1, got 0"),
        ("chorales --replay 2", "--replay: expected a share in [0, 1), got 2.0"),
        ("vae_mnist --particles 0", "--particles: expected at least 1, got 0"),
    ],
)
def test_settings_are_named_as_the_options_that_set_them(capsys, words, said):
    arguments = [*words.split(), "--scale", "smoke"]
    assert run.main([*arguments, "--device", "cpu"]) == 2
    assert capsys.readouterr().err.startswith(f"error: {said}")
    assert sweep.main([*arguments, "--seeds", "1"]) == 2
    assert f": {said}" in capsys.readouterr().err


def test_an_evaluation_names_its_options(capsys, smoke_run):
    assert evaluate.main([str(smoke_run), "--noise", "-1"]) == 2
    assert capsys.readouterr().err.startswith("error: --noise: expected a number in")


def test_what_is_positional_is_no_option(capsys, smoke_run):
    assert compare.main([str(smoke_run)]) == 2
    assert capsys.readouterr().err.startswith("error: run_dirs: expected runs of at least two")
