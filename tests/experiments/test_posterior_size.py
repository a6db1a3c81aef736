"""posterior.nc stays below 50 MB whatever is run."""

import math
from typing import get_args

import pytest

from experiments import posterior
from experiments.config import ExperimentName, GuideName
from experiments.defaults import defaults
from pyro_nem.errors import ConfigError

SHAPES = {"sprites": (64, 64, 3), "flying_mnist": (24, 24, 1)}


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
    # Bytes of noise, if pixels are floating-point numbers, at three steps.
    size = 1 if settings.pixels == "bernoulli" else 4
    pixels = math.prod(SHAPES.get(experiment, (64, 64, 1)))
    frames = 3 * asked["shown_sequences"] * asked["restarts"] * asked["draws"]
    assert 0 < frames * pixels * size < 45e6
