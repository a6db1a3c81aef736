"""Folders of earlier versions, whose bound has no threshold of resampling, and what a bound is."""

import json
from dataclasses import asdict

import pytest
from small_mixture import build

from inference import BoundConfig, NEMObjective, RunDirectory
from inference.kept_settings import current_settings
from inference.processes import ALONE
from inference.resuming import check_same_settings
from pyro_nem.errors import CheckpointError, ConfigError


def test_a_folder_without_a_threshold_has_the_usual_one(tmp_path):
    """As those of mixtures and of images have, which do not resample."""
    settings = {"steps": 3, "bound": asdict(BoundConfig("iwae", 3))}
    kept = json.loads(json.dumps(settings))
    del kept["bound"]["resample"]
    directory = RunDirectory(tmp_path / "run")
    directory.create({"settings": kept})
    check_same_settings(directory, settings, ALONE)
    with pytest.raises(CheckpointError, match="holds a run with bound = "):
        check_same_settings(directory, {**settings, "bound": asdict(BoundConfig())}, ALONE)


def test_settings_of_this_version_and_those_without_a_bound_stay_as_they_are():
    for kept in ({"experiment": "mine"}, {"bound": asdict(BoundConfig("fivo", 2, resample=0.9))}):
        assert current_settings(kept) == kept


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "fivo"}, "fivo resamples among at least 2, got 1"),
        ({"objective": "fivo", "particles": 2, "gradient": "dreg"}, "got dreg and sampled; use iw"),
        ({"objective": "fivo", "particles": 2, "free_nats": 1.0}, "has no KL of its own"),
        ({"objective": "fivo", "particles": 2, "resample": 0.0}, r"resample: .* \(0, 1\], got 0"),
        ({"objective": "fivo", "particles": 2, "resample": 1.5}, r"resample: .* \(0, 1\], got 1.5"),
        ({"objective": "iwae", "resample": 0.9}, "resample: has no effect on iwae"),
    ],
    ids=str,
)
def test_resampling_is_refused_where_it_cannot_be(options, message):
    with pytest.raises(ConfigError, match=message):
        BoundConfig(**options)


def test_mixtures_say_what_fivo_is_for():
    with pytest.raises(ConfigError, match="fivo resamples the particles of sequence models"):
        NEMObjective(*build("bernoulli", 2), bound=BoundConfig("fivo", 4))
