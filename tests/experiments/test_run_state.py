"""How far the run in a folder is."""

import json
from dataclasses import replace

import pytest

from experiments.frames.defaults import defaults
from experiments.sweeping.run_state import run_state
from inference import RunDirectory
from pyro_nem.errors import CheckpointError

SETTINGS = defaults("flying_shapes", "smoke", None, None)


@pytest.fixture
def folder(tmp_path):
    directory = RunDirectory(tmp_path / "run")
    directory.path.mkdir()
    directory.log.write_text("output of an earlier try")
    return directory


def begin(folder, settings=SETTINGS):
    folder.log.unlink()
    folder.create({"settings": json.loads(json.dumps(settings.to_dict()))})


def test_a_run_goes_from_new_over_interrupted_to_finished(folder):
    assert run_state(SETTINGS, RunDirectory(folder.path / "nowhere")) == "new"
    assert run_state(SETTINGS, folder) == "new"
    begin(folder)
    folder.last.write_bytes(b"weights")
    assert run_state(SETTINGS, folder) == "interrupted"
    folder.summary.write_text("{}")
    assert run_state(SETTINGS, folder) == "finished"


def test_where_it_ran_does_not_matter(folder):
    begin(folder, replace(SETTINGS, device="cuda:1"))
    folder.last.write_bytes(b"weights")
    assert run_state(SETTINGS, folder) == "interrupted"


@pytest.mark.parametrize("file", ["last", "summary"])
def test_a_run_with_other_settings_is_refused(folder, file):
    training = replace(SETTINGS.training, updates=9)
    begin(folder, replace(SETTINGS, training=training, components=7))
    getattr(folder, file).write_text("{}")
    with pytest.raises(CheckpointError, match="components 7 instead of 3, updates 9 instead of 4"):
        run_state(SETTINGS, folder)


def test_a_broken_summary_is_refused(folder):
    begin(folder)
    for content, message in (("{", "not valid JSON"), ("[]", "expected a JSON object")):
        folder.summary.write_text(content)
        with pytest.raises(CheckpointError, match=message):
            run_state(SETTINGS, folder)


def test_a_run_without_a_checkpoint_is_refused(folder):
    begin(folder)
    with pytest.raises(CheckpointError, match="stopped before its first checkpoint; remove the fo"):
        run_state(SETTINGS, folder)


def test_a_config_that_is_none_is_refused(folder):
    folder.config.write_text("{}")
    with pytest.raises(CheckpointError, match='expected the entry "settings"'):
        run_state(SETTINGS, folder)
    settings = SETTINGS.to_dict()
    settings["training"]["momentum"] = 0.9
    folder.config.write_text(json.dumps({"settings": settings}))
    with pytest.raises(CheckpointError, match=r"config\.json: expected .*this version.*momentum"):
        run_state(SETTINGS, folder)
