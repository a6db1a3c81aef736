"""What the tables consist of."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.cli import parse
from experiments.frames.evaluate_options import EvaluateOptions, conditions
from experiments.kinds import kind_of
from experiments.sweeping.grid import expand
from experiments.table import main
from experiments.tables.bound_plans import BOUND_PLANS
from experiments.tables.plan import PLANS
from experiments.tables.published import published, published_transfer
from experiments.tables.rows import prediction_note
from experiments.tables.run_groups import setting_name

# The paper's generalisation, as remembered.
TRANSFER = {
    "flying_shapes": {
        ("3/3", "3/5"): 0.972,
        ("3/5", "3/3"): 0.914,
        ("5/3", "3/3"): 0.886,
        ("5/5", "3/5"): 0.981,
    },
    "flying_mnist": {
        ("direct", "3/3"): 0.729,
        ("direct", "still frames, 50 steps"): 0.619,
        ("staged", "3/3"): 0.838,
        ("staged", "still frames, 50 steps"): 0.772,
    },
}


def expanded(plan, scale="laptop"):
    found = {}
    for setting, axes in plan.settings.items():
        (point,) = expand(plan.experiment, {**axes, "--scale": (scale,)}, "cpu", "test")
        found[setting] = point
    assert len({point.directory.path for point in found.values()}) == len(found)
    for setting in plan.main if scale == "laptop" else ():
        assert setting_name(found[setting].settings) == setting
    return found


@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_the_recipe_is_taken_apart(scale):
    """Each setting but the last differs from the first in one part, the last in all."""
    found = expanded(PLANS["recipe"], scale)
    assert PLANS["recipe"].sections() == ("main",)
    first, *others, official = (point.settings for point in found.values())

    def parts(settings):
        training = settings.training
        schedule = (training.learning_rate, training.warmup, training.decay)
        parts = (settings.views, settings.gradient_psi, settings.step_weights, schedule)
        return (*parts, settings.network)

    def differing(settings):
        pairs = zip(parts(settings), parts(first), strict=True)
        return [number for number, (mine, its) in enumerate(pairs) if mine != its]

    assert sorted(number for other in others for number in differing(other)) == [
        *(0, 0, 1, 2, 3, 4)
    ]
    assert {len(differing(other)) for other in others} == {1}
    assert differing(official) == [0, 1, 2, 3, 4]
    everyone = [settings.training for settings in (first, *others, official)]
    assert {training.updates for training in everyone} == {2000}
    # None is stopped before its end.
    assert all(t.updates // t.validate_every < (t.patience or np.inf) for t in everyone)


@pytest.mark.parametrize("scale", ["smoke", "laptop", "paper"])
@pytest.mark.parametrize("name", [*PLANS, *BOUND_PLANS])
def test_settings_have_folders_of_their_own_at_every_scale(tmp_path, monkeypatch, name, scale):
    monkeypatch.chdir(tmp_path)
    assert main([name, "--scale", scale, "--seeds", "1", "--dry-run"]) == 0


def test_speech_is_modelled_by_all_that_the_papers_table_has():
    found = expanded(BOUND_PLANS["speech"], "paper").values()
    assert {(point.settings.model, point.settings.output) for point in found} >= {
        *(("rnn", "gaussian"), ("rnn", "mixture"), ("vrnn-i", "gaussian")),
        *(("vrnn", "gaussian"), ("vrnn", "mixture")),
    }


def figures(experiment, *words):
    words = [*words, "--scale", "laptop"] if "--scale" not in words else words
    options = parse(kind_of(experiment).options, "test", [experiment, *words, "--device", "cpu"])
    return published(kind_of(experiment).resolve(options)[0])


@pytest.mark.parametrize(
    ("command", "ami"),
    [
        ("flying_shapes --components 5", 0.997),
        ("flying_shapes --components 5 --scale paper --updates 7 --network located", 0.997),
        ("flying_shapes --recipe official --learning-rate 1e-4", 0.970),
        ("flying_shapes --guide r-nem", None),
        ("flying_shapes --steps 7", None),
        ("flying_shapes --noise 0.5", None),
        ("flying_shapes --objects 4 --components 4", None),
        ("flying_mnist --staged", 0.917),
        ("flying_mnist --variant 20", None),
        ("static_shapes --guide n-em --scale paper", 0.475),
        ("static_shapes --components 5", None),
    ],
)
def test_the_papers_figures_are_those_of_a_model(command, ami):
    assert figures(*command.split()) == ({} if ami is None else {"ami": ami, "ami_last": ami})


def test_the_papers_figures_are_not_of_a_users_own_data():
    (point,) = expand("flying_shapes", {"--scale": ("laptop",)}, "cpu", "test")
    for name, known in (("flying_shapes", True), ("flying_shapes_5", False), ("mine", False)):
        assert bool(published(replace(point.settings, data=f"there/{name}.h5"))) == known


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("chorales --smoothing off", {"nll_elbo": 8.69}),
        ("chorales --scale paper", {"nll_elbo": 8.69}),
        ("chorales", {}),
        ("chorales --scale paper --smoothing on", {}),
        ("chorales --scale paper --objective fivo", {"nll_fivo_4": 7.60}),
        ("chorales --scale paper --objective iwae --particles 8", {}),
        ("chorales --scale paper --latent-size 16", {}),
        ("chorales --scale paper --tunes nottingham", {}),
        ("strokes --scale paper", {}),
        ("iwae_mnist --layers 2 --scale paper", {"nll_iwae_5000": 82.90}),
        ("iwae_mnist --binarization fixed --objective vae --updates 9", {"nll_iwae_5000": 88.71}),
        ("iwae_mnist --latent-size 20", {}),
        ("iwae_mnist --objective vae --particles 5", {}),
        ("vae_mnist", {}),
    ],
)
def test_published_bounds_are_those_of_a_model(command, found):
    assert figures(*command.split()) == found


@pytest.mark.parametrize("name", ["flying_shapes", "flying_mnist"])
def test_the_papers_generalisation_is_in_the_plan(name):
    plan = PLANS[name]
    found = expanded(plan)
    figures = {}
    for test in plan.tests:
        trained = found[test.trained].settings
        tested = conditions(EvaluateOptions("run", **options_of(test)), trained).to_dict()
        figures[test.trained, test.conditions] = published_transfer(trained, tested)
        for other in ({"guide": "r-nem"}, {"objects": 9}, {"data": "mine.h5"}):
            assert published_transfer(replace(trained, **other), tested) == {}
        for other in ({"noise": None}, {"data": "mine.h5"}):
            assert published_transfer(trained, {**tested, **other}) == {}
    assert {key: value["ami"] for key, value in figures.items() if value} == TRANSFER[name]
    assert all(value.get("ami") == value.get("ami_last") for value in figures.values())


def options_of(test):
    words = iter(test.options)
    return {word.removeprefix("--"): int(next(words)) for word in words}


@pytest.mark.parametrize("name", [name for name in PLANS if name != "recipe"])
def test_plans_are_those_of_the_paper(name):
    plan = PLANS[name]
    found = expanded(plan)
    paper = {setting for setting in plan.main if published(found[setting].settings)}
    assert set(plan.main) - paper <= {"4/4"}
    used = {setting for section in plan.sections() for setting in plan.needed(section)}
    assert used == set(plan.settings)
    if plan.predicting:
        grey = name == "flying_mnist"
        for setting in plan.predicting:
            assert ("13.8 nats" not in prediction_note(found[setting].settings)) == grey
        assert found[plan.predicting[-1]].settings.components == 1
        assert np.all([found[s].settings.frames > 1 for s in plan.predicting])
