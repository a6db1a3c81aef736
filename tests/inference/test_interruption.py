"""Ctrl-C and SIGTERM in a training from Python: saved with a folder, raised without one."""

import os
import signal

import pytest
import torch
from small_images import build as build_images
from small_images import images
from small_run import CONFIG, build, frames, weights
from small_sequences import MANY, objective, rolls

from inference import fit, run_training
from inference.images import ImageObjective, fit_images
from inference.sequences import fit_sequences


def fit_frames(**options):
    return fit(*build(), frames(), validation=frames(5, seed=1), config=CONFIG, **options)


def fit_rolls(**options):
    return fit_sequences(objective(), rolls(MANY), config=CONFIG, **options)


def fit_digits(**options):
    model, guide = build_images()
    learner = ImageObjective(model.float(), guide.float())
    return fit_images(learner, images(10), config=CONFIG, **options)


FITS = pytest.mark.parametrize("fitted", [fit_frames, fit_rolls, fit_digits])


@pytest.fixture
def lines(monkeypatch):
    """The lines of a training that gets Ctrl-C at its third update."""
    return stopped_by(signal.SIGINT, monkeypatch)


def stopped_by(number, monkeypatch):
    original, lines = run_training.ProgressPrinter.__call__, []

    def printer(self, record):
        original(self, record)
        if record["update"] == 3:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(run_training.ProgressPrinter, "__call__", printer)
    return lines


@FITS
def test_without_a_folder_a_script_does_not_go_on_with_half_trained_weights(fitted, lines):
    with pytest.raises(KeyboardInterrupt, match="interrupted after 3 of 6 updates; the weights so"):
        fitted(report=lines.append)
    assert len(lines) == 3


def test_sigterm_without_a_folder_ends_the_script_too(monkeypatch):
    lines = stopped_by(signal.SIGTERM, monkeypatch)
    with pytest.raises(KeyboardInterrupt, match="interrupted after 3 of 6 updates"):
        fit_frames(report=lines.append)


@FITS
def test_with_a_folder_the_last_line_says_how_to_go_on(fitted, lines, tmp_path):
    found = fitted(report=lines.append, directory=tmp_path / "run")
    assert (found.reason, found.updates) == ("interrupted", 3)
    assert lines[3:] == ["interrupted after 3 of 6 updates; continue with resume=True"]
    rest = fitted(report=lines.append, directory=tmp_path / "run", resume=True)
    assert rest.reason == "finished"


@pytest.mark.parametrize("fitted", [fit_rolls, fit_digits])
def test_who_keeps_settings_of_its_own_says_itself_how_to_go_on(fitted, lines, tmp_path):
    fitted(report=lines.append, directory=tmp_path / "run", description={"settings": {}})
    assert len(lines) == 3


def test_without_a_folder_the_model_keeps_the_weights_so_far(lines, tmp_path):
    saved = weights(fit_frames(report=lines.append, directory=tmp_path / "run"))
    model, guide = build()
    with pytest.raises(KeyboardInterrupt):
        fit(
            model,
            guide,
            frames(),
            validation=frames(5, seed=1),
            config=CONFIG,
            report=lines.append,
        )
    for name, value in {"model": model, "guide": guide}.items():
        for key, found in value.state_dict().items():
            assert torch.equal(found, saved[f"{name}.{key}"])
