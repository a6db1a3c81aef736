"""The two ways to train, and their parts."""

from dataclasses import replace

import pytest
import torch

from experiments.frames.assembly import build_objective
from experiments.frames.defaults import defaults
from experiments.frames.options import resolve, resume_settings
from experiments.frames.run_options import RunOptions
from inference import RunDirectory
from inference.guides import LOCATED_VIEWS
from pyro_nem.data import Clip
from pyro_nem.errors import CheckpointError
from pyro_nem.files import write_json
from pyro_nem.networks import ConvEncoder, FlatEncoder, FovealEncoder, PatchEncoder

SHAPE = (28, 28, 1)


def settings(experiment="flying_shapes", **options):
    return resolve(RunOptions(experiment, scale="smoke", device="cpu", **options))[0]


@pytest.mark.parametrize(
    ("experiment", "view", "rate", "weights"),
    [
        ("flying_shapes", "masked-residual", 1e-3, "all"),
        ("static_shapes", "masked-residual", 1e-3, "last"),
        ("flying_mnist", "normalised-residual", 5e-4, "all"),
    ],
)
@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_the_official_recipe_is_that_of_the_released_code(experiment, view, rate, weights, scale):
    found = defaults(experiment, scale, None, None, recipe="official")
    assert (found.network, found.views) == ("official", (view,))
    assert found.gradient_psi
    assert found.gradient_gamma == (experiment == "static_shapes")
    assert found.step_weights == weights
    training = found.training
    assert (training.learning_rate, training.warmup, training.decay) == (rate, 0, "constant")


@pytest.mark.parametrize("experiment", ["flying_shapes", "static_shapes", "flying_mnist"])
@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_the_improved_recipe_has_all_its_parts(experiment, scale):
    found = defaults(experiment, scale, None, None, recipe="improved")
    assert (found.network, found.views) == ("located", LOCATED_VIEWS)
    assert not found.gradient_psi
    assert not found.gradient_gamma
    assert found.step_weights == "all"
    assert (found.training.warmup, found.training.decay) == (100, "cosine")
    # A learning rate that falls to zero is not stopped on its way.
    assert found.training.patience is None


def test_each_experiment_and_scale_has_its_usual_recipe():
    assert defaults("flying_shapes", "laptop", None, None).recipe == "improved"
    assert defaults("flying_shapes", "paper", None, None).recipe == "official"
    assert defaults("flying_shapes", "paper", None, None).training.patience == 10
    assert defaults("static_shapes", "paper", None, None).recipe == "improved"
    assert defaults("static_shapes", "paper", "n-em", None).recipe == "improved"


def test_improved_takes_less_at_the_paper_scale():
    official = defaults("flying_shapes", "paper", None, None).training
    improved = defaults("flying_shapes", "paper", None, None, recipe="improved").training
    assert improved.updates * 10 == official.updates
    assert improved.batch_size == official.batch_size


def test_gradient_nem_keeps_its_network():
    found = defaults("static_shapes", "laptop", "n-em", None)
    assert (found.recipe, found.network, found.step_weights) == ("improved", "official", "last")
    assert found.training.learning_rate == 4e-3


@pytest.mark.parametrize(
    ("options", "encoder"),
    [
        ({}, FovealEncoder),
        ({"views": "normalised-residual,frame,gamma"}, PatchEncoder),
        ({"views": "psi"}, PatchEncoder),
        ({"network": "official"}, ConvEncoder),
        ({"network": "official", "views": "normalised-residual,frame,gamma,psi"}, ConvEncoder),
    ],
)
def test_any_part_can_be_left_out(options, encoder):
    objective = build_objective(settings(**options), SHAPE)
    assert type(objective.guide.encoder) is encoder
    frames = torch.rand(3, 2, 784, 1)
    objective(Clip(frames[:-1], frames[1:].round()), torch.Generator()).loss.backward()


def test_the_static_network_takes_more_views():
    found = settings("static_shapes", network="official", views="masked-residual,frame")
    assert type(build_objective(found, SHAPE).guide.encoder) is FlatEncoder


def test_options_of_parts_become_settings():
    found = settings(
        gradient_psi="on",
        step_weights="last",
        warmup=7,
        decay="constant",
        averaging=0.9,
        views="gamma,frame",
    )
    assert (found.gradient_psi, found.step_weights) == (True, "last")
    assert (found.training.warmup, found.training.decay) == (7, "constant")
    assert found.training.averaging == 0.9
    assert found.views == ("gamma", "frame")


@pytest.mark.parametrize(
    "options",
    [
        {"recipe": "official"},
        {"views": "gamma,frame"},
        {"gradient_psi": "on"},
        {"step_weights": "last"},
        {"warmup": 7},
        {"decay": "constant"},
        {"averaging": 0.9},
    ],
)
def test_a_run_is_not_resumed_with_other_parts(options, tmp_path):
    write_json(RunDirectory(tmp_path).config, {"settings": settings().to_dict()})
    asked = RunOptions("flying_shapes", scale="smoke", device="cpu")
    assert resume_settings(asked, RunDirectory(tmp_path)) == settings()
    with pytest.raises(CheckpointError, match=r"holds a run with .* instead of"):
        resume_settings(replace(asked, **options), RunDirectory(tmp_path))
