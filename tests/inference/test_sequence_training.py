"""Sequence models are trained, stopped and continued by the loop of the mixtures."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from small_run import numbers
from small_sequences import LENGTHS, MANY, SIZE, batch_of, build, objective, rolls

from inference import BoundConfig, TrainingConfig, run_training
from inference.processes import Processes
from inference.sequences import (
    SequenceObjective,
    SequencePosterior,
    continue_sequences,
    diagnose_sequences,
    draw_sequences,
    fit_sequences,
    posterior,
    score_sequences,
)
from inference.sequences.evaluation import score_objective
from inference.sequences.task import SequenceTask
from models import BernoulliOutput, SequenceVRNN
from pyro_nem.data import SequenceSchedule, SequenceSet
from pyro_nem.errors import CheckpointError, ConfigError, DataError

CONFIG = TrainingConfig(
    updates=6, batch_size=4, warmup=2, log_every=1, validate_every=2, averaging=0.9
)


FIVO = BoundConfig("fivo", 3, resample=0.9)


def run(directory=None, config=CONFIG, bound=FIVO, **options):
    return fit_sequences(
        objective(bound),
        rolls(MANY),
        rolls(LENGTHS, seed=1),
        config=config,
        directory=directory,
        report=lambda line: None,
        **options,
    )


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
        assert run(tmp_path / "parts").reason == "interrupted"
    rest = run(tmp_path / "parts", resume=True)
    assert rest.reason == "finished"
    assert numbers(rest.records) == numbers(whole.records)
    for name, value in whole.objective.state_dict().items():
        assert torch.equal(value, rest.objective.state_dict()[name])


def test_a_run_is_resumed_with_its_own_settings_only(tmp_path):
    folder = str(tmp_path / "run")
    run(folder)
    for name, change in {
        "training": {"config": replace(CONFIG, batch_size=5)},
        "bound": {"bound": BoundConfig("fivo", 3)},
        "schedule": {"schedule": SequenceSchedule(curriculum=3)},
    }.items():
        with pytest.raises(CheckpointError, match=f"holds a run with {name} = "):
            run(folder, resume=True, **change)
    assert run(folder, resume=True).updates == 6


@pytest.mark.parametrize(
    ("bound", "beside", "held", "other"),
    [
        (FIVO, 0.9, "iwae", BoundConfig("fivo", 3)),
        (BoundConfig("iwae", 3), None, "iwae", BoundConfig("fivo", 3)),
        (BoundConfig(), None, "elbo", FIVO),
    ],
    ids=str,
)
def test_a_run_of_an_earlier_version_is_resumed(tmp_path, bound, beside, held, other):
    """Which kept the threshold of resampling beside the bound."""
    run(tmp_path / "run", bound=bound)
    config = tmp_path / "run" / "config.json"
    settings = json.loads(config.read_text())["settings"]
    del settings["bound"]["resample"]
    settings["bound"]["objective"] = held
    config.write_text(json.dumps({"settings": {**settings, "resample": beside}}))
    assert run(tmp_path / "run", bound=bound, resume=True).updates == 6
    with pytest.raises(CheckpointError, match="holds a run with bound = "):
        run(tmp_path / "run", bound=other, resume=True)


def test_a_description_of_ones_own_is_kept_as_it_is(tmp_path):
    description = {"settings": {"experiment": "mine"}, "commit": "abc"}
    run(tmp_path / "run", description=description)
    assert json.loads((tmp_path / "run" / "config.json").read_text()) == description
    other = replace(CONFIG, learning_rate=1e-3)
    assert run(tmp_path / "run", other, description=description, resume=True).updates == 6


def test_the_best_weights_are_kept_and_every_line_is_written(tmp_path):
    found = run(tmp_path / "run", replace(CONFIG, learning_rate=2.0))
    losses = [r["validation.loss"] for r in found.records if "validation.loss" in r]
    scores = score_objective(found.objective, rolls(LENGTHS, seed=1)).nats_per_step
    assert losses[-1] > min(losses)
    assert scores["bound"] == pytest.approx(min(losses), rel=1e-5)
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["update"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert all("train.kl" in json.loads(line) for line in lines)


def test_training_learns():
    """The first step of six is random, four bits of ln 2 each; the others repeat it."""
    torch.manual_seed(0)
    first = (torch.rand(40, 1, SIZE) < 0.5).expand(-1, 6, -1).byte()
    model = SequenceVRNN(BernoulliOutput(SIZE), latent_size=2, hidden_size=16, width=16)
    found = fit_sequences(
        SequenceObjective(model, SequencePosterior(model)),
        SequenceSet("constant", list(first.numpy())),
        config=TrainingConfig(updates=150, batch_size=8, learning_rate=2e-2, log_every=10),
        report=lambda line: None,
    )
    losses = [record["train.loss"] for record in found.records]
    assert losses[0] > 2.0
    assert losses[-1] < 1.0


def test_warm_up_and_free_nats_stand_beside_the_bound():
    batch = batch_of()
    losses = {}
    options = {"plain": {}, "warm-up": {"kl_warmup": 4}, "free": {"free_nats": 1000.0}}
    for name, chosen in options.items():
        module = objective(BoundConfig(divergence="analytic", **chosen)).double()
        for update in (None, 0, 3):
            losses[name, update] = module(batch, torch.Generator().manual_seed(0), update)
    plain = losses["plain", None]
    kl = plain.divergence.sum() / sum(LENGTHS)
    assert (plain.divergence[~batch.mask] == 0).all()
    for terms in losses.values():
        torch.testing.assert_close(terms.bound, plain.bound)
    torch.testing.assert_close(losses["warm-up", None].loss, plain.loss)
    torch.testing.assert_close(losses["warm-up", 3].loss, plain.loss)
    torch.testing.assert_close(losses["warm-up", 0].loss, plain.loss - 0.75 * kl)
    # With more free nats than there are, the KL of every real step is replaced by a constant.
    torch.testing.assert_close(losses["free", 0].loss, plain.loss - kl + 1000.0)


@pytest.mark.parametrize(
    ("bound", "update", "adjusted", "computed"),
    [
        (BoundConfig(kl_warmup=4), 2, True, 1),
        (BoundConfig(divergence="analytic", kl_warmup=4), 2, True, 0),
        (BoundConfig(divergence="analytic", kl_warmup=4), 3, False, 0),
        (BoundConfig(particles=3, divergence="analytic", free_nats=0.1), 9, True, 0),
        (BoundConfig(particles=3, divergence="analytic", free_nats=0.1), None, False, 0),
        (BoundConfig("iwae", 3), 0, False, 1),
    ],
)
def test_the_kl_has_a_gradient_where_the_loss_has_it(
    bound, update, adjusted, computed, monkeypatch
):
    """And is not computed where the bound has done so."""
    module, batch, found = objective(bound).double(), batch_of(), []
    divergence = module.divergence
    monkeypatch.setattr(
        module, "divergence", lambda *args: found.append(divergence(*args)) or found[-1]
    )
    terms = module(batch, torch.Generator().manual_seed(0), update)
    assert terms.divergence.requires_grad == adjusted
    assert len(found) == computed
    again = divergence(batch, terms.rollout)
    assert torch.equal(terms.divergence, again)
    if adjusted:
        same = [
            torch.autograd.grad(kl.sum(), module.parameters(), retain_graph=True, allow_unused=True)
            for kl in (terms.divergence, again)
        ]
        torch.testing.assert_close(*same)


@pytest.mark.usefixtures("double_precision")
def test_the_mean_over_shares_is_the_whole_batch_whatever_their_lengths(monkeypatch):
    monkeypatch.setattr(posterior, "standard_normal", lambda shape, like, g: torch.zeros(shape))
    monkeypatch.setattr(Processes, "mean", lambda self, metrics: metrics)
    bound = BoundConfig(divergence="analytic", free_nats=0.3, kl_warmup=4)
    module = objective(bound).double()
    parameters = list(module.parameters())

    def step(rank, count):
        task = SequenceTask(rolls(MANY), None, CONFIG, Processes(rank, count))
        batch = next(task.batches(1))
        loss, measure = task.loss(module, batch, torch.Generator(), update=1)
        return batch.lengths.tolist(), loss, measure()["kl"], torch.autograd.grad(loss, parameters)

    _, loss, kl, gradients = step(0, 1)
    lengths, losses, kls, parts = zip(*[step(rank, 2) for rank in range(2)], strict=True)
    assert sum(lengths[0]) != sum(lengths[1])
    torch.testing.assert_close(sum(losses) / 2, loss)
    assert sum(kls) / 2 == pytest.approx(kl)
    for whole, *shares in zip(gradients, *parts, strict=True):
        torch.testing.assert_close(sum(shares) / 2, whole)


def test_sequences_of_another_size_are_refused():
    with pytest.raises(ConfigError, match="has 5 numbers a step, but the model's output law 4"):
        fit_sequences(objective(), rolls(MANY, size=5), config=CONFIG)
    with pytest.raises(ConfigError, match="early stopping needs validation data"):
        fit_sequences(objective(), rolls(MANY), config=TrainingConfig(patience=2))


def test_data_without_a_density_are_refused_before_they_are_used(tmp_path):
    module = objective()
    bad = SequenceSet("bad", [*rolls(MANY).sequences, np.full((3, SIZE), 2, np.uint8)])
    message = r"bad, sequence 10, step 0, number 0: .* found 2"
    refused = partial(pytest.raises, DataError, match=message)
    for sets in ((bad,), (rolls(MANY), bad)):
        with refused():
            fit_sequences(module, *sets, config=CONFIG, directory=tmp_path / "run")
        assert not (tmp_path / "run").exists()
    for use in (score_objective, score_sequences, partial(diagnose_sequences, sequences=20)):
        with refused():
            use(module, bad)
        with pytest.raises(ConfigError, match="has 5 numbers a step"):
            use(module, rolls(MANY, size=5))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("bound", [BoundConfig("iwae", 3), FIVO], ids=str)
def test_a_gpu_trains_and_scores_as_a_cpu_does(bound):
    module = objective(bound, smoothing=True).cuda()
    found = fit_sequences(
        module, rolls(MANY), rolls(LENGTHS, seed=1), config=CONFIG, report=lambda line: None
    )
    assert found.updates == 6
    assert continue_sequences(module, batch_of((4, 4)), 3).shape == (7, 2, SIZE)
    before = torch.cuda.get_rng_state()
    draw_sequences(objective(), 1, 2)
    assert torch.equal(torch.cuda.get_rng_state(), before)
    # Draws differ from device to device, the likelihood of a model without latents does not.
    alone = SequenceObjective(*(part.float() for part in build(latent_size=0)))
    there = score_sequences(alone.cuda(), rolls(MANY)).nats_per_step
    here = score_sequences(alone.cpu(), rolls(MANY)).nats_per_step
    assert there == pytest.approx(here, rel=1e-5)
