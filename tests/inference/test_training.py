"""The training loop on small problems: schedule, early stop, failures, data that do not fit."""

import copy
import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyro
import pytest
import torch
from small_run import CONFIG, build, frames, run, weights

from inference import (
    RunDirectory,
    TrainingConfig,
    check_levels,
    fit,
    fitting,
    frame_task,
    load_checkpoint,
    train,
)
from inference.streams import Stream, update_seed
from models import GaussianPixels, SpatialMixture
from pyro_nem.data import ArrayFrames, Noise
from pyro_nem.errors import ConfigError, NumericalError


def test_the_learning_rate_rises_and_falls():
    config = TrainingConfig(updates=110, learning_rate=2.0, warmup=9, decay="cosine")
    rates = [config.learning_rate_at(u) for u in range(110)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[9] == pytest.approx(2.0)
    assert rates[9 + 50] == pytest.approx(2.0 * 0.5 * (1 + math.cos(math.pi * 50 / 101)))
    assert rates[-1] < 0.01
    constant = replace(config, decay="constant")
    assert constant.learning_rate_at(109) == 2.0


def test_training_lowers_the_loss_and_keeps_the_best_weights(tmp_path):
    config = replace(CONFIG, updates=40, learning_rate=1e-2, averaging=None)
    found = run(tmp_path / "run", config)
    losses = [r["validation.loss"] for r in found.records if "validation.loss" in r]
    assert losses[-1] < losses[0]
    best = load_checkpoint(tmp_path / "run" / "checkpoints" / "best.pt")
    assert best["update"] == 2 * (1 + int(np.argmin(losses)))
    for name, value in weights(found).items():
        assert torch.equal(value, best["evaluated"][name])


def test_every_record_is_complete(tmp_path):
    found = run(tmp_path / "run")
    directory = RunDirectory(tmp_path / "run")
    assert directory.read_metrics() == found.records
    assert [r["update"] for r in found.records] == [1, 2, 3, 4, 5, 6]
    for record in found.records:
        assert {"seconds", "learning_rate", "train.loss", "train.ari"} <= set(record)
        assert ("validation.loss" in record) == (record["update"] % 2 == 0)
        assert ("validation.effective_components" in record) == (record["update"] % 2 == 0)


def test_patience_stops_early(monkeypatch):

    losses = iter([5.0, 4.0, 4.5, 4.2, 1.0, 0.5])
    evaluation = type("Evaluation", (), {})

    def fake(*_, **__):
        result = evaluation()
        result.metrics = {"loss": next(losses)}
        return result

    monkeypatch.setattr(frame_task, "evaluate", fake)
    found = run(config=replace(CONFIG, updates=12, patience=2))
    assert (found.reason, found.updates) == ("early", 8)


def test_an_infinite_gradient_stops_before_the_weights_change():
    class Task:
        def batches(self, start):
            while True:
                yield None

        def loss(self, module, batch, generator, update):
            return (module.weight.sum() * 0).sqrt(), dict

        def validate(self, module):
            return {}

    module = torch.nn.Linear(2, 1)
    before = module.weight.clone()
    keeper = type("Keeper", (), {"save": lambda self, state, best: None})()
    with pytest.raises(NumericalError, match="gradient became"):
        train(Task(), module, CONFIG, log=lambda record: None, checkpointer=keeper)
    assert torch.equal(module.weight, before)


def test_the_param_store_is_empty_after_training(empty_param_store):
    run()
    assert len(pyro.get_param_store()) == 0


def test_a_copy_of_an_objective_is_whole():
    model, guide = build()
    copied = copy.deepcopy(fitting.NEMObjective(model, guide))
    assert copied.guide.model is copied.model
    assert copied.model is not model


def test_without_validation_data_the_last_weights_count():
    model, guide = build()
    found = fit(model, guide, frames(), config=CONFIG, report=lambda line: None)
    assert not any("validation.loss" in record for record in found.records)
    assert found.reason == "finished"


def test_the_weights_average_is_the_exponential_one(tmp_path):
    run(tmp_path / "run", replace(CONFIG, updates=2, validate_every=1))
    last = load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")
    run(tmp_path / "one", replace(CONFIG, updates=2, validate_every=1, averaging=None))
    name = "guide.cell.gru.weight_hh"
    final = load_checkpoint(tmp_path / "one" / "checkpoints" / "last.pt")["module"][name]
    # The average starts at the weights of the first update.
    assert not torch.equal(last["evaluated"][name], last["module"][name])
    torch.testing.assert_close(last["module"][name], final)


def test_streams_of_randomness_differ():
    seeds = {update_seed(s, stream, i) for s in range(5) for stream in Stream for i in range(50)}
    assert len(seeds) == 5 * len(Stream) * 50


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("updates", 0),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("warmup", -1),
        ("clip_norm", 0.0),
        ("averaging", 1.0),
        ("patience", 0),
        ("seed", -1),
    ],
)
def test_bad_settings_are_named(field, value):
    with pytest.raises(ConfigError, match=f"{field}: expected"):
        replace(CONFIG, **{field: value})


def test_what_is_no_source_is_refused_with_advice():
    model, guide = build()
    with pytest.raises(ConfigError, match=r"data: .*open it with HDF5Frames\('a.h5', 'training'\)"):
        fit(model, guide, "a.h5")
    with pytest.raises(ConfigError, match=r"validation: .*open it with HDF5Frames"):
        fit(model, guide, frames(), validation=Path("a.h5"))
    with pytest.raises(ConfigError, match=r"data: expected .* got list; .*numpy.stack"):
        fit(model, guide, [np.zeros((4, 8, 8, 1))])


def test_data_that_do_not_fit_are_refused(tmp_path):
    model, guide = build()
    with pytest.raises(ConfigError, match=r"frames are \(4, 4, 1\).*decoder makes \(8, 8, 1\)"):
        fit(model, guide, np.zeros((3, 5, 4, 4, 1), np.uint8))
    with pytest.raises(
        ConfigError, match=r"9 steps need 10 frames.*at most 3 steps.*\(T, N, .*12 seq"
    ):
        fit(model, guide, frames(), steps=9)
    with pytest.raises(ConfigError, match="static images are repeated"):
        fit(model, guide, np.zeros((1, 5, 8, 8, 1), np.uint8))
    with pytest.raises(ConfigError, match="resume: expected the directory"):
        fit(model, guide, frames(), resume=True)
    with pytest.raises(ConfigError, match="early stopping needs validation"):
        fit(model, guide, frames(), config=replace(CONFIG, patience=3))
    with pytest.raises(ConfigError, match=r"batch_size|batch"):
        fit(model, guide, frames(3), config=CONFIG)


def test_bad_validation_data_are_found_before_training(tmp_path):
    model, guide = build()
    for bad, message in (
        (np.zeros((4, 5, 4, 4, 1), np.uint8), "decoder makes"),
        (np.zeros((3, 5, 8, 8, 1), np.uint8), "need 4 frames"),
    ):
        with pytest.raises(ConfigError, match=message):
            fit(model, guide, frames(), validation=bad, config=CONFIG, directory=tmp_path / "run")
    big = replace(CONFIG, batch_size=100)
    with pytest.raises(ConfigError, match="batch_size"):
        fit(model, guide, frames(), config=big, directory=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_bernoulli_pixels_refuse_grey_frames():
    model, guide = build()
    grey = np.zeros((4, 5, 8, 8, 1))
    grey[2, 3, 1, 1] = 0.25
    with pytest.raises(ConfigError, match=r"data: Bernoulli pixels .* found 0\.25; .*Gaussian"):
        fit(model, guide, grey, config=CONFIG)
    with pytest.raises(ConfigError, match="validation: Bernoulli pixels"):
        fit(model, guide, frames(), validation=grey, config=CONFIG)

    class Bytes(ArrayFrames):
        white = 255

        def read(self, start, stop):
            features, groups = super().read(start, stop)
            return (features * 255).astype(np.uint8), groups

    with pytest.raises(ConfigError, match=r"found 0\.2471"):
        check_levels(model, Bytes(grey))
    check_levels(model, Bytes(np.round(grey * 4)))
    check_levels(SpatialMixture(model.decoder, 2, pixels=GaussianPixels()), ArrayFrames(grey))


def test_a_validation_loss_of_nan_stops(monkeypatch):
    class Evaluation:
        metrics = {"loss": math.nan}  # noqa: RUF012  # a stand-in

    monkeypatch.setattr(frame_task, "evaluate", lambda *_, **__: Evaluation)
    with pytest.raises(NumericalError, match="validation loss became nan at update 2"):
        run()


def test_the_seed_decides_the_order_of_the_data():
    def first(seed):
        config = replace(CONFIG, seed=seed)
        task = frame_task.FrameTask(frames(), None, 3, Noise(), config)
        return next(task.batches(0)).frames

    assert torch.equal(first(3), first(3))
    assert not torch.equal(first(3), first(4))


def test_the_order_goes_on_where_a_run_stopped():
    task = frame_task.FrameTask(frames(), None, 3, Noise(), CONFIG)
    whole = [batch.frames for batch in itertools.islice(task.batches(0), 8)]
    for start in (1, 3, 5):
        assert torch.equal(next(task.batches(start)).frames, whole[start])


def test_double_precision_trains():
    model, guide = build()
    found = fit(model.double(), guide.double(), frames(), config=CONFIG, report=lambda line: None)
    assert next(found.objective.parameters()).dtype == torch.double
