"""From a command line to the runs of a grid."""

import pytest

from experiments.sweeping.grid import expand, split_arguments, to_axes
from pyro_nem.errors import ConfigError

OWN = ("--jobs", "--cluster-options")


def grid(*words, experiment="flying_shapes", device="cpu"):
    axes = to_axes(experiment, ["--scale", "smoke", *words], OWN)
    return expand(experiment, axes, device, "sweep")


def names(points):
    return [point.directory.path.name.removeprefix("smoke-") for point in points]


def test_the_command_line_is_split():
    words = ["flying_shapes", "--jobs", "2", "--noise", "-1", "0.5", "--cluster_options", "a", "-h"]
    own, passed = split_arguments(words, OWN)
    assert own == ["flying_shapes", "--jobs", "2", "--cluster_options", "a", "-h"]
    assert passed == ["--noise", "-1", "0.5"]


def test_values_are_gathered_by_option():
    axes = to_axes(
        "flying_shapes", ["--components", "3", "5", "--batch_size=4", "--scale", "smoke"], OWN
    )
    assert axes == {"--components": ("3", "5"), "--batch-size": ("4",), "--scale": ("smoke",)}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--job 3", "--job: expected an option .* did you mean --jobs"),
        ("--componets 3", "did you mean --components"),
        ("--xyz", "--xyz: expected an option of this command or of run; see --help"),
        ("--seed 1 --seed 2", "--seed: given twice"),
        ("--resume", "--resume: is decided for each run"),
        ("--run-dir x", "--run-dir: is decided for each run"),
        ("--device cpu", "use --devices"),
    ],
)
def test_options_that_cannot_be_are_refused(words, message):
    with pytest.raises(ConfigError, match=message):
        to_axes("flying_shapes", words.split(), OWN)


def test_a_grid_has_each_combination_once_and_varies_the_seed_last():
    points = grid("--seed", "0", "7", "--components", "3", "5", "--objects", "2")
    assert names(points) == [
        "rnn-em-located-2objects-k3-seed0",
        "rnn-em-located-2objects-k5-seed0",
        "rnn-em-located-2objects-k3-seed7",
        "rnn-em-located-2objects-k5-seed7",
    ]
    options = "flying_shapes --scale smoke --seed 7 --components 3 --objects 2"
    assert points[2].arguments == tuple(options.split())
    assert points[2].settings.training.seed == 7
    assert str(points[2].directory.path.parent) == "runs/flying_shapes"


def test_any_option_of_a_run_can_be_an_axis():
    words = "--guide rnn-em r-nem --learning-rate 1e-3 4e-3 --batch-size 2 4 --noise 0.1 0.2"
    points = grid(*words.split(), "--updates", "3")
    assert len(set(names(points))) == len(points) == 16
    assert names(points)[0] == "rnn-em-located-3objects-k3-noise0.1-updates3-batch2-rate0.001-seed0"
    rates = {point.settings.training.learning_rate for point in points}
    assert rates == {1e-3, 4e-3}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--test-sequences 4 8", "would share the folder .*--test-sequences 4 .*sequences 8"),
        ("--components 3 3", "would share the folder"),
        ("--data a/x.h5 b/x.h5", "would share the folder"),
        ("--guide vrnn rnn-em --particles 2", "--guide rnn-em --particles 2: --particles: the st"),
        ("--components 3 0", "--components 0: --components: expected at least 1"),
    ],
)
def test_grids_that_cannot_be_are_refused(words, message):
    with pytest.raises(ConfigError, match=message):
        grid(*words.split())


def test_a_value_that_does_not_parse_is_explained(capsys):
    with pytest.raises(SystemExit, match="2"):
        grid("--components", "three")
    assert "--components" in capsys.readouterr().err
