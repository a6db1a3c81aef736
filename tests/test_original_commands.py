"""The commands of the released code are all in the documents, with what sets the same here."""

import re
import shlex
from pathlib import Path

import pytest

from experiments.cli import parse
from experiments.frames.evaluate_options import EvaluateOptions
from experiments.frames.options import resolve
from experiments.frames.run_names import default_run_directory
from experiments.frames.run_options import RunOptions
from experiments.frames.stages import stages
from inference import RunDirectory

PAGE = Path(__file__).parents[1] / "docs" / "original_commands.md"

# The trainings of the README of Neural-EM at 32bd75c, in its order.
TRAININGS = """\
dataset.shapes network.shapes nem.k=4 nem.nr_steps=15 noise.prob=0.1
dataset.shapes network.NEM nem.k=4 nem.nr_steps=15 noise.prob=0.1
nem.sequential dataset.flying_shapes network.flying_shapes nem.k=3 nem.nr_steps=20
nem.sequential dataset.flying_mnist_hard_2 network.flying_mnist nem.k=2 nem.nr_steps=20 \
nem.loss_inter_weight=0.2 training.params.learning_rate=0.0005
nem.sequential dataset.flying_mnist_medium_20_2 network.flying_mnist nem.k=2 nem.nr_steps=20 \
nem.loss_inter_weight=0.2
nem.sequential dataset.flying_mnist_medium_500_2 network.flying_mnist nem.k=2 nem.nr_steps=20 \
nem.loss_inter_weight=0.2 training.params.learning_rate=0.0005 net_path=debug_out/best
nem.sequential dataset.flying_mnist_hard_2 network.flying_mnist nem.k=2 nem.nr_steps=20 \
nem.loss_inter_weight=0.2 training.params.learning_rate=0.0005 net_path=debug_out/best
""".splitlines()
EVALUATIONS = [f"<config> run_config.AMI={value}" for value in (True, False)]

# What the released code sets if a command does not.
USUAL = {
    "noise.prob": "0.2",
    "nem.loss_inter_weight": "1.0",
    "training.params.learning_rate": "0.001",
}
DATASETS = {
    "shapes": ("static_shapes", 3, None),
    "flying_shapes": ("flying_shapes", 3, None),
    "flying_shapes_4": ("flying_shapes", 4, None),
    "flying_shapes_5": ("flying_shapes", 5, None),
    "flying_mnist_hard_2": ("flying_mnist", 2, "full"),
    "flying_mnist_medium_20_2": ("flying_mnist", 2, "20"),
    "flying_mnist_medium_500_2": ("flying_mnist", 2, "500"),
}
GUIDES = dict.fromkeys(("shapes", "flying_shapes", "flying_mnist"), "rnn-em") | {"NEM": "n-em"}


def pairs():
    """Return each block of the released code's commands with the first block of ours behind it."""
    found = re.findall(
        r"^```text\n(.*?)^```\s*^```bash\n(.*?)^```",
        PAGE.read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    return [(theirs.splitlines(), ours.splitlines()) for theirs, ours in found]


def words_of(line, program):
    assert line.startswith(program), line
    return line.removeprefix(program)


def settings_of(line):
    """Return the settings of each stage of one of our trainings."""
    words = shlex.split(words_of(line, "python -m experiments.run "))
    settings, _ = resolve(parse(RunOptions, "experiments.run", words))
    return [stage.settings for stage in stages(settings, RunDirectory(Path("run")))]


def test_no_command_of_the_released_code_is_missing():
    blocks = re.findall(
        r"^```text\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert len(blocks) == len(pairs())
    *trainings, evaluations = [block.splitlines() for block in blocks]
    found = [words_of(line, "python nem.py with ") for block in trainings for line in block]
    assert found == TRAININGS
    assert [
        words_of(line, "python nem.py run_from_file with ") for line in evaluations
    ] == EVALUATIONS


@pytest.mark.parametrize("pair", pairs()[:-1])
def test_ours_sets_the_same(pair):
    theirs, (ours,) = pair
    for stage, (line, found) in enumerate(zip(theirs, settings_of(ours), strict=True)):
        words = words_of(line, "python nem.py with ").split()
        given = USUAL | dict(word.split("=") for word in words if "=" in word)
        named = dict(word.split(".") for word in words if "=" not in word)
        sequential = named.pop("nem", None) == "sequential"
        expected = {
            "data": DATASETS[named.pop("dataset")],
            "guide": GUIDES[named.pop("network")],
            "components": int(given.pop("nem.k")),
            "steps": int(given.pop("nem.nr_steps")),
            "noise": float(given.pop("noise.prob")),
            "inter_weight": float(given.pop("nem.loss_inter_weight")),
            "learning_rate": float(given.pop("training.params.learning_rate")),
            # What nem.sequential is: gamma held fixed, every step counts.
            "sequential": (sequential, not sequential, "all" if sequential else "last"),
        }
        assert (given.pop("net_path", None) is not None) == (stage > 0)
        assert not given
        assert not named
        assert expected == {
            "data": (found.experiment, found.objects, found.variant),
            "guide": found.guide,
            "components": found.components,
            "steps": found.steps,
            "noise": found.noise.probability,
            "inter_weight": found.inter_weight,
            "learning_rate": found.training.learning_rate,
            "sequential": (found.frames > 1, found.gradient_gamma, found.step_weights),
        }
        assert (found.recipe, found.network, found.scale) == ("official", "official", "paper")


def test_every_dataset_of_the_released_code_is_trained_on():
    lines = re.findall(r"^python -m experiments.run .*", PAGE.read_text(encoding="utf-8"), re.M)
    found = {
        (settings.experiment, settings.objects, settings.variant)
        for line in lines
        for settings in settings_of(line)
    }
    assert found == set(DATASETS.values())


def test_the_evaluation_is_of_a_training_of_the_page():
    (shapes,) = [
        settings
        for theirs, ours in pairs()[:-1]
        for line in ours
        for settings in settings_of(line)
        if settings.experiment == "flying_shapes"
    ]
    (line,) = pairs()[-1][1]
    words = words_of(line, "python -m experiments.evaluate ").split()
    options = parse(EvaluateOptions, "experiments.evaluate", words)
    assert options.run_dir == default_run_directory(shapes)
