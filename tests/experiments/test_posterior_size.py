"""posterior.nc stays below 50 MB whatever is run."""

import math
from typing import get_args

import pytest

from experiments.frames import posterior
from experiments.frames.config import ExperimentName, GuideName
from experiments.frames.defaults import defaults
from inference.diagnostics.schema import VARIABLES
from pyro_nem.errors import ConfigError

SHAPES = {
    "static_shapes": (28, 28, 1),
    "flying_shapes": (28, 28, 1),
    "flying_mnist": (24, 24, 1),
    "sprites": (64, 64, 3),
}


@pytest.mark.parametrize("experiment", get_args(ExperimentName))
@pytest.mark.parametrize("guide", get_args(GuideName))
def test_frames_drawn_from_the_posterior_stay_small(experiment, guide, monkeypatch, tmp_path):
    try:
        settings = defaults(experiment, "paper", guide, None)
    except ConfigError:
        pytest.skip(f"{guide} does not run on {experiment}")
    asked = {}

    def diagnose(*_, **options):
        asked.update(options)

    class Guide:
        stochastic = guide == "vrnn"

    class Objective:
        model = None

    Objective.guide = Guide()

    class Source:
        num_sequences = 1000

    monkeypatch.setattr(posterior, "diagnose", diagnose)
    monkeypatch.setattr(posterior, "write_posterior", lambda *_: None)
    monkeypatch.setattr(posterior, "find_problems", lambda _: [])
    posterior.save_posterior(Objective, settings, Source, tmp_path / "x.nc", sequences=None)
    # Bits, each stored in a byte, take a quarter of it at most when compressed.
    size = 0.25 if settings.pixels == "bernoulli" else 4
    shape = SHAPES.get(experiment, (64, 64, 1))
    shown = 3 * asked["shown_sequences"] * asked["restarts"]
    states = asked["draws"] if Guide.stochastic else 1
    # The large variables, in bytes that noise does not let compress.
    expected = {
        "posterior_predictive/x": shown * asked["draws"] * math.prod(shape) * size,
        "log_likelihood/pixel": shown * states * math.prod(shape[:2]) * 4,
        "sample_stats/gamma": shown * settings.components * math.prod(shape[:2]) * 4,
        "posterior/theta": shown * states * settings.components * 256 * 4,
        "prior_predictive/x": 0,
    }
    if Guide.stochastic:
        expected["prior_predictive/x"] = asked["draws"] * settings.steps * math.prod(shape) * size
    assert expected.keys() < VARIABLES.keys()
    assert expected["posterior_predictive/x"] > 0
    assert sum(expected.values()) < 45e6
