"""Commands that are given a run of another kind."""

from dataclasses import asdict

import pytest

from experiments import compare, evaluate, rollout
from experiments.frames.options import resolve as resolve_frames
from experiments.frames.run_options import RunOptions
from experiments.images import evaluate as images_evaluate
from experiments.images.options import ImageOptions
from experiments.images.resolving import resolve as resolve_images
from experiments.run import main as run
from experiments.sequences import evaluate as sequences_evaluate
from experiments.sequences import generate
from experiments.sequences.options import SequenceOptions
from experiments.sequences.resolving import resolve as resolve_sequences
from inference import RunDirectory


@pytest.fixture
def folder(tmp_path):
    """Return a function from an experiment to a folder with the settings of a run."""

    def begun(experiment):
        options, resolve = {
            "flying_shapes": (RunOptions, resolve_frames),
            "chorales": (SequenceOptions, resolve_sequences),
            "vae_mnist": (ImageOptions, resolve_images),
        }[experiment]
        settings, _ = resolve(options(experiment, scale="smoke", device="cpu"))
        directory = RunDirectory(tmp_path / experiment)
        directory.create({"settings": asdict(settings)})
        return str(directory.path)

    return begun


def resume(arguments):
    return run(["flying_shapes", "--resume", "--run-dir", *arguments])


@pytest.mark.parametrize(
    ("held", "instead", "commands"),
    [
        (
            "chorales",
            "experiments.sequences.evaluate",
            [evaluate.main, rollout.main, compare.main, images_evaluate.main, resume],
        ),
        (
            "vae_mnist",
            "experiments.images.evaluate",
            [evaluate.main, rollout.main, compare.main, sequences_evaluate.main, generate.main],
        ),
        (
            "flying_shapes",
            "experiments.evaluate",
            [sequences_evaluate.main, generate.main, images_evaluate.main],
        ),
    ],
)
def test_a_run_of_another_kind_is_named_with_its_commands(folder, capsys, held, instead, commands):
    path = folder(held)
    for command in commands:
        assert command([path]) == 2
        printed = capsys.readouterr().err
        assert f"config.json: holds a run of {held}, which this command is not for" in printed
        assert f"score it with {instead}, or continue it with experiments.run {held}" in printed
