"""Sequence models are scored, drawn from and continued."""

import contextlib
import math

import pytest
import torch
from small_sequences import MANY, SIZE, batch_of, build, objective, rolls

from inference.sequences import (
    SequenceObjective,
    SequencePosterior,
    continue_sequences,
    draw_sequences,
    score_sequences,
)
from inference.sequences.evaluation import SequenceScores
from models import BernoulliOutput, SequenceVRNN
from pyro_nem.data import SequenceSet
from pyro_nem.errors import ConfigError, DataError


def test_errors_are_those_of_sums_divided_by_sums():
    """As the jackknife has them, and of equal lengths those of a mean."""
    values, steps = 30.0 * torch.randn(400).double() - 100.0, torch.randint(5, 40, (400,))
    found = SequenceScores({"elbo": values * steps}, steps).errors["elbo"]
    left_out = (values @ steps.double() - values * steps) / (steps.sum() - steps)
    assert found == pytest.approx((399**2 / 400 * left_out.var().item()) ** 0.5, rel=0.02)
    equal = SequenceScores({"kl": values}, torch.full((400,), 7)).errors["kl"]
    assert equal == pytest.approx(values.std().item() / 20 / 7)
    assert math.isnan(SequenceScores({"kl": values[:1]}, steps[:1]).errors["kl"])


def test_scores_are_sums_over_all_steps_whatever_the_batches():
    module = objective().double()
    found = score_sequences(module, rolls(MANY), particles=(3,))
    assert set(found.values) == {"elbo", "kl", "iwae_3", "fivo_3"}
    assert found.steps.tolist() == list(MANY)
    per_step = found.nats_per_step
    for name in ("elbo", "iwae_3", "fivo_3"):
        expected = -found.values[name].sum() / sum(MANY)
        assert per_step[name] == pytest.approx(expected.item())
    assert per_step["kl"] == pytest.approx((found.values["kl"].sum() / sum(MANY)).item())
    assert per_step["kl"] > 0
    single = score_sequences(module, rolls(MANY), particles=1)
    assert set(single.values) == {"elbo", "iwae_1", "kl"}
    again = score_sequences(module, rolls(MANY), particles=3)
    assert again.nats_per_step == per_step
    with pytest.raises(ConfigError, match="particles: expected at least 1, got 0"):
        score_sequences(module, rolls(MANY), particles=(4, 0))
    twice = SequenceSet("twice", [rolls((9,)).sequences[0]] * 2)
    one, other = score_sequences(module, twice, rows_at_once=1).values["elbo"]
    assert one != other
    alone = SequenceObjective(*build(latent_size=0))
    exact = [
        score_sequences(alone, rolls(MANY), rows_at_once=rows).values["exact"]
        for rows in (1, 4, 100)
    ]
    torch.testing.assert_close(exact[0], exact[2])
    torch.testing.assert_close(exact[1], exact[2])


def test_draws_and_continuations_depend_on_their_seed_alone():
    module = objective()
    drawn = [draw_sequences(module, 3, 6, seed=seed) for seed in (0, 0, 1)]
    assert drawn[0].shape == (6, 3, SIZE)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    batch = batch_of((4, 4))
    before = torch.get_rng_state()
    continued = continue_sequences(module, batch, 3)
    assert torch.equal(torch.get_rng_state(), before)
    assert continued.shape == (7, 2, SIZE)
    assert torch.equal(continued[:4], batch.x.float())
    model = SequenceVRNN(BernoulliOutput(SIZE), latent_size=2, hidden_size=16, width=16)
    larger = SequenceObjective(model, SequencePosterior(model))
    for parameter in larger.parameters():
        parameter.data.mul_(3.0)
    other = continue_sequences(larger, batch._replace(x=1.0 - batch.x), 20)
    assert not torch.equal(continue_sequences(larger, batch, 20)[4:], other[4:])
    with pytest.raises(ConfigError, match=r"sequences of one length, got lengths \[2, 3, 5\]"):
        continue_sequences(module, batch_of(), 3)
    with pytest.raises(ConfigError, match=r"beginning: has 3 numbers a step, but .* law 4"):
        continue_sequences(module, batch._replace(x=batch.x[..., :3]), 3)
    grey = batch.x.clone()
    grey[2, 1, 3] = 0.5
    place = "beginning, sequence 1, step 2, number 3: expected a whole number from 0 to 1"
    with pytest.raises(DataError, match=place):
        continue_sequences(module, batch._replace(x=grey), 3)
    with pytest.raises(ConfigError, match="count: expected at least 1"):
        draw_sequences(module, 0, 3)


def test_draws_leave_the_random_numbers_of_every_gpu(monkeypatch):
    """To seed PyTorch seeds all devices, whichever the model is on."""
    kept = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(
        torch.random,
        "fork_rng",
        lambda devices: kept.append(list(devices)) or contextlib.nullcontext(),
    )
    draw_sequences(objective(), 1, 2)
    continue_sequences(objective(), batch_of((4, 4)), 3)
    assert kept == [[0, 1], [0, 1]]
