"""Stopping, resuming, and the folder of a run."""

import json
import math
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_run import CONFIG, build, frames, numbers, run, weights

from inference import (
    RunDirectory,
    fit,
    fitting,
    load_checkpoint,
    run_training,
)
from pyro_nem.data import ArrayFrames
from pyro_nem.errors import CheckpointError, NumericalError


@pytest.mark.parametrize("stop_after", [1, 3, 4])
def test_a_resumed_run_gives_the_numbers_of_an_uninterrupted_one(tmp_path, monkeypatch, stop_after):
    whole = run(tmp_path / "whole")

    class Impatient(run_training.Interruption):
        asked = 0

        def requested(self):
            self.asked += 1
            return self.asked >= stop_after

    with monkeypatch.context() as patch:
        patch.setattr(run_training, "Interruption", Impatient)
        part = run(tmp_path / "parts")
    assert part.reason == "interrupted"
    assert part.updates == stop_after
    rest = run(tmp_path / "parts", resume=True)
    assert rest.reason == "finished"
    assert numbers(rest.records) == numbers(whole.records)
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(rest)[name])


def test_metrics_after_the_checkpoint_are_written_again(tmp_path):
    whole = run(tmp_path / "run")
    directory = RunDirectory(tmp_path / "run")
    with directory.metrics.open("a") as file:
        file.write(json.dumps({"update": 99, "train.loss": 0.0}) + "\n")
        file.write('{"update": 100, "train')
    again = run(tmp_path / "run", resume=True)
    assert numbers(again.records) == numbers(whole.records)
    assert numbers(directory.read_metrics()) == numbers(whole.records)


def test_sigterm_saves_and_stops(tmp_path, monkeypatch):

    original = run_training.ProgressPrinter.__call__

    def printer(self, record):
        original(self, record)
        if record["update"] == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(run_training.ProgressPrinter, "__call__", printer)
    before = signal.getsignal(signal.SIGTERM)
    found = run(tmp_path / "run")
    assert (found.reason, found.updates) == ("interrupted", 3)
    assert load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")["update"] == 3
    assert signal.getsignal(signal.SIGTERM) is before


def test_nan_stops_and_the_last_checkpoint_stays_good(tmp_path, monkeypatch):

    original = fitting.FrameTask.loss

    def poisoned(self, module, batch, generator, update):
        loss, measure = original(self, module, batch, generator, update)
        poisoned.calls += 1
        return (loss * math.nan if poisoned.calls == 4 else loss), measure

    poisoned.calls = 0
    monkeypatch.setattr(fitting.FrameTask, "loss", poisoned)
    with pytest.raises(NumericalError, match="loss became nan at update 4"):
        run(tmp_path / "run")
    state = load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")
    assert state["update"] == 2
    assert all(value.isfinite().all() for value in state["module"].values())


def test_a_run_is_resumed_with_its_own_settings_only(tmp_path):
    run(tmp_path / "run")
    for change in (
        {"config": replace(CONFIG, seed=1)},
        {"config": replace(CONFIG, averaging=None)},
        {"inter_weight": 0.5},
        {"steps": 2},
    ):
        with pytest.raises(CheckpointError, match="holds a run with"):
            run(tmp_path / "run", resume=True, **{"config": CONFIG, **change})


def test_weights_alone_are_not_resumed(tmp_path):
    run(tmp_path / "run")
    folder = tmp_path / "run" / "checkpoints"
    (folder / "last.pt").write_bytes((folder / "best.pt").read_bytes())
    with pytest.raises(CheckpointError, match="holds weights only"):
        run(tmp_path / "run", resume=True)


def test_leftovers_of_a_kill_are_removed_on_resume(tmp_path):
    run(tmp_path / "run")
    leftover = tmp_path / "run" / "checkpoints" / ".last-abc.pt"
    leftover.write_bytes(b"half")
    run(tmp_path / "run", resume=True)
    assert not leftover.exists()


def test_a_folder_with_other_files_is_not_written_over(tmp_path):
    (tmp_path / "config.json").write_text("mine")
    with pytest.raises(CheckpointError, match=r"holds a run already \(there is config.json\)"):
        run(tmp_path)
    assert (tmp_path / "config.json").read_text() == "mine"
    with pytest.raises(CheckpointError, match="not valid JSON"):
        run(tmp_path, resume=True)


def test_stopped_without_validation_data_the_last_weights_come_back(tmp_path, monkeypatch):
    class AfterFive(run_training.Interruption):
        asked = 0

        def requested(self):
            self.asked += 1
            return self.asked >= 5

    monkeypatch.setattr(run_training, "Interruption", AfterFive)
    model, guide = build()
    config = replace(CONFIG, validate_every=3, averaging=None)
    found = fit(model, guide, frames(), config=config, directory=tmp_path / "run")
    last = load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")
    assert (found.updates, last["update"]) == (5, 5)
    for name, value in weights(found).items():
        assert torch.equal(value, last["module"][name])


def test_a_used_folder_is_not_written_over(tmp_path):
    run(tmp_path / "run")
    before = (tmp_path / "run" / "checkpoints" / "last.pt").read_bytes()
    with pytest.raises(CheckpointError, match=r"holds a run already.*resume=True, --resume"):
        run(tmp_path / "run")
    assert (tmp_path / "run" / "checkpoints" / "last.pt").read_bytes() == before


def test_frames_without_scored_pixels_train_and_resume(tmp_path):
    model, guide = build()
    data = ArrayFrames(frames().read(0, 12)[0], np.zeros((4, 12, 8, 8, 1), np.uint8))
    lines = []
    for resume in (False, True):
        found = fit(
            model,
            guide,
            data,
            validation=data,
            config=CONFIG,
            directory=tmp_path / "run",
            resume=resume,
            report=lines.append,
        )
        assert all(math.isnan(record["train.ari"]) for record in found.records)
        assert math.isnan(found.records[-1]["validation.ari"])
    assert '"train.ari": null' in (tmp_path / "run" / "metrics.jsonl").read_text()
    assert lines
    assert not any("nan" in line or "ARI" in line or "effective" in line for line in lines)
