"""What the tables consist of."""

import numpy as np
import pytest

from experiments.sweeping.grid import expand
from experiments.table import main
from experiments.tables.bound_plans import BOUND_PLANS
from experiments.tables.plan import PLANS
from experiments.tables.published import published_ami
from experiments.tables.rows import prediction_note
from experiments.tables.run_groups import setting_name


def expanded(plan, scale="laptop"):
    found = {}
    for setting, axes in plan.settings.items():
        (point,) = expand(plan.experiment, {**axes, "--scale": (scale,)}, "cpu", "test")
        found[setting] = point
    assert len({point.directory.path for point in found.values()}) == len(found)
    for setting in plan.main if scale == "laptop" else ():
        assert setting_name(found[setting].settings.to_dict()) == setting
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


@pytest.mark.parametrize("name", [name for name in PLANS if name != "recipe"])
def test_plans_are_those_of_the_paper(name):
    plan = PLANS[name]
    found = expanded(plan)
    paper = {setting for setting in plan.main if published_ami(plan.experiment, setting)}
    assert set(plan.main) - paper <= {"4/4"}
    used = {setting for section in plan.sections() for setting in plan.needed(section)}
    assert used == set(plan.settings)
    if plan.predicting:
        grey = name == "flying_mnist"
        for setting in plan.predicting:
            assert ("13.8 nats" not in prediction_note(found[setting].settings)) == grey
        assert found[plan.predicting[-1]].settings.components == 1
        assert np.all([found[s].settings.frames > 1 for s in plan.predicting])
