"""Options that several commands have in common."""

from dataclasses import fields

import pytest

from experiments.cli import parse
from experiments.compare_options import CompareOptions
from experiments.frames.evaluate_options import EvaluateOptions
from experiments.kinds import FRAMES, IMAGES, SEQUENCES
from experiments.rollout import RolloutOptions
from experiments.sequences.generate import GenerateOptions
from experiments.training_options import TRAINING
from inference import TrainingConfig

KINDS = {kind.names[0]: kind for kind in (FRAMES, SEQUENCES, IMAGES)}


@pytest.mark.parametrize("name", KINDS)
def test_options_of_the_training_set_its_fields(name):
    kind = KINDS[name]
    assert set(TRAINING) <= {field.name for field in fields(TrainingConfig)}
    values = {"learning_rate": 0.5, "averaging": 0.25, "clip_norm": 2.0, "decay": "stages"}
    values = {option: values.get(option, 7) for option in TRAINING}
    words = [word for option, value in values.items() for word in (f"--{option}", str(value))]
    asked = parse(kind.options, "run", [name, "--scale", "smoke", "--device", "cpu", *words])
    training = kind.resolve(asked)[0].training
    assert {option: getattr(training, option) for option in TRAINING} == values


@pytest.mark.parametrize("options", [kind.options for kind in KINDS.values()])
def test_help_begins_with_what_the_kind_has_and_ends_with_the_place(options, capsys):
    with pytest.raises(SystemExit, match="0"):
        parse(options, "run", ["--help"])
    printed = capsys.readouterr().out
    places = [printed.index(f" --{name}") for name in ("scale ", "updates ", "run-dir ", "device ")]
    assert places == sorted(places)


def help_of(options, capsys):
    with pytest.raises(SystemExit, match="0"):
        parse(options, "command", ["--help"])
    return " ".join(capsys.readouterr().out.replace("│", " ").split())


@pytest.mark.parametrize(
    ("options", "resumed"),
    [
        *((options, "") for options in (CompareOptions, EvaluateOptions)),
        *((options, "") for options in (RolloutOptions, GenerateOptions)),
        *((kind.options, "; with --resume, that of the run") for kind in KINDS.values()),
    ],
)
def test_device_and_threads_are_explained(options, resumed, capsys):
    printed = help_of(options, capsys)
    device = f"cpu, cuda or cuda:N. Default: CUDA where there is one{resumed}."
    assert f"--device TEXT {device}" in printed
    assert "--threads INT CPU threads. Default: PyTorch's choice, the number of cores." in printed


def test_noise_means_the_same_where_it_is_trained_with_and_tested_with(capsys):
    meaning = (
        "Probability that a pixel of the guide's input is flipped; of digits and sprites, that a "
        "channel of it is replaced by a random value"
    )
    for options in (FRAMES.options, EvaluateOptions):
        assert f"--noise FLOAT {meaning}" in help_of(options, capsys)
