"""The program of all steps at once against the one that goes step by step, and its variants."""

import pytest
import torch
from pyro import poutine
from pyro.infer import Predictive
from small_sequences import HIDDEN, LATENT, LENGTHS, SIZE, batch_of, build
from torch.nn import functional as F

from inference.sequences import SequenceObjective, SequencePosterior
from inference.sequences.reader import BackwardReader, reverse
from models import BernoulliOutput, CategoricalOutput, SequenceVRNN
from pyro_nem.data import pad
from pyro_nem.errors import ConfigError


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.double)
    yield
    torch.set_default_dtype(torch.float)


@pytest.mark.parametrize("options", [{}, {"independent_prior": True}, {"latent_size": 0}])
def test_both_programs_have_the_same_density(options):
    model, guide = build(**options)
    with torch.no_grad():
        trace = poutine.trace(model.imagine).get_trace(model.initial(3), 5)
        x = trace.nodes["_RETURN"]["value"]
        batch = batch_of((5, 5, 5))._replace(x=x)
        if model.latent_size:
            z = torch.stack([trace.nodes[f"z_{t}"]["value"] for t in range(5)])
            rollout = guide.rescore(batch, z)
            assert torch.equal(rollout.z, z)
        else:
            rollout = guide.rollout(batch)
        fixed = poutine.condition(model, {"z": rollout.z} if model.latent_size else {})
        ours = poutine.trace(fixed).get_trace(batch, rollout)
    torch.testing.assert_close(ours.log_prob_sum(), trace.log_prob_sum())
    assert ours.nodes["x"]["fn"].batch_shape == (5, 3)


def test_steps_behind_the_end_are_masked():
    model, guide = build()
    batch = batch_of()
    trace = poutine.trace(model).get_trace(batch, guide.rollout(batch))
    trace.compute_log_prob()
    for name in ("z", "x"):
        log_prob = trace.nodes[name]["log_prob"]
        assert (log_prob[~batch.mask] == 0).all()
        assert (log_prob[batch.mask] != 0).all()


def test_a_continuation_goes_on_from_what_was_seen():
    model, guide = build()
    batch = batch_of((4, 4, 4))
    rollout = guide.rollout(batch, torch.Generator().manual_seed(0))
    whole = guide.rescore(batch, rollout.z)
    part = batch._replace(x=batch.x[:3], mask=batch.mask[:3])
    before = guide.rescore(part, rollout.z[:3])
    torch.testing.assert_close(before.final.hidden, whole.context[3])
    after = model.advance(before.final, model.read(batch.x[3]), rollout.z[3])
    torch.testing.assert_close(after.cell, whole.final.cell)
    fixed = {f"x_{t}": torch.ones(3, SIZE) for t in range(2)}
    x = poutine.condition(model.imagine, fixed)(before.final, 4)
    assert x.shape == (4, 3, SIZE)
    assert (x[:2] == 1).all()
    assert not (x[2:] == 1).all()


@pytest.mark.parametrize("layer_norm", [False, True])
def test_choices_are_read_as_the_bits_that_they_set(layer_norm):
    """Loss, gradients and draws are those of a network that reads bits for all values."""

    class Bits(CategoricalOutput):
        def features(self, x):
            bits = [F.one_hot(c, n) for c, n in zip(x.long().unbind(-1), self.sizes, strict=True)]
            return torch.cat(bits, -1).to(x.dtype)

    sizes = (5, 3)
    sequences = [torch.stack([torch.randint(n, (t,)) for n in sizes], -1) for t in LENGTHS]
    batch = pad([sequence.numpy() for sequence in sequences])
    batch = batch._replace(x=batch.x.double())

    def run(output):
        torch.manual_seed(1)
        model = SequenceVRNN(output, latent_size=2, hidden_size=4, width=6, layer_norm=layer_norm)
        objective = SequenceObjective(model, SequencePosterior(model))
        loss = objective(batch, torch.Generator().manual_seed(0)).loss
        gradients = torch.autograd.grad(loss, list(objective.parameters()))
        torch.manual_seed(2)
        return loss, gradients, model.imagine(model.initial(3), 4), objective.state_dict()

    ours, theirs = run(CategoricalOutput(sizes)), run(Bits(sizes))
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    assert ours[1][0].shape == (6, sum(sizes))


def test_predictive_draws_many():
    model, _ = build()
    draws = Predictive(model.imagine, num_samples=6)(model.initial(2), 3)
    assert draws["z_2"].shape == (6, 2, LATENT)
    assert draws["x_0"].shape == (6, 2, SIZE)


def test_draws_follow_the_prior():
    """At zero weights every bit has the frequency that the law was given."""
    mean = torch.tensor([0.1, 0.8])
    model = SequenceVRNN(BernoulliOutput(2, mean), latent_size=1, hidden_size=2, width=2)
    for parameter in model.parameters():
        parameter.data.zero_()
    x = model.imagine(model.initial(5000), 2)
    torch.testing.assert_close(x.mean((0, 1)), mean, atol=0.02, rtol=0)


def test_particles_are_independent_runs():
    _, guide = build()
    batch = batch_of()
    several = guide.rollout(batch, particles=3)
    assert several.z.shape == (3, max(LENGTHS), len(LENGTHS), LATENT)
    assert several.context.shape == (3, max(LENGTHS), len(LENGTHS), HIDDEN)
    assert several.final.hidden.shape == (3, len(LENGTHS), HIDDEN)
    again = guide.rescore(batch, several.z)
    for s in range(3):
        alone = guide.rescore(batch, several.z[s])
        for whole, part in ((again, alone), (several, alone)):
            torch.testing.assert_close(whole.context[s], part.context)
            torch.testing.assert_close(whole.posterior.loc[s], part.posterior.loc)


def test_an_independent_prior_knows_nothing_of_the_past():
    model, _ = build(independent_prior=True)
    law = model.prior_law(torch.randn(4, HIDDEN))
    assert torch.equal(law.loc, torch.zeros(4, LATENT))
    assert torch.equal(law.scale, torch.ones(4, LATENT))
    assert model.prior is None


def test_a_reader_summarises_what_comes():
    values = torch.arange(15.0).view(5, 3, 1)
    lengths = torch.tensor([5, 2, 1])
    flipped = reverse(values, lengths).squeeze(-1)
    assert flipped[:, 0].tolist() == [12, 9, 6, 3, 0]
    assert flipped[:, 1].tolist() == [4, 1, 7, 10, 13]
    assert torch.equal(reverse(reverse(values, lengths), lengths), values)
    reader = BackwardReader(1, 2)
    before = reader(values, lengths)
    changed = values.clone()
    changed[2, 0] += 1.0
    after = reader(changed, lengths)
    assert not torch.allclose(after[:3, 0], before[:3, 0])
    torch.testing.assert_close(after[3:, 0], before[3:, 0])


def test_scales_have_a_floor():
    model = SequenceVRNN(BernoulliOutput(2), latent_size=2, hidden_size=2, width=2, min_scale=0.05)
    model.prior[-1].bias.data.fill_(-100.0)
    model.prior[-1].weight.data.zero_()
    assert (model.prior_law(torch.zeros(1, 2)).scale == 0.05).all()
    with pytest.raises(ConfigError, match=r"min_scale: expected at least 0, got -1\.0"):
        SequenceVRNN(BernoulliOutput(2), min_scale=-1.0)
    with pytest.raises(ConfigError, match=r"min_scale: expected at least 0, got -1\.0"):
        SequencePosterior(model, min_scale=-1.0)


def test_layer_norm_and_depth_are_options():
    def count(**options):
        model = SequenceVRNN(BernoulliOutput(2), **options)
        return sum(isinstance(m, torch.nn.LayerNorm) for m in model.modules())

    assert count() == 0
    assert count(layer_norm=True) == 4
    assert count(layer_norm=True, layers=3) == 12
    with pytest.raises(ConfigError, match="latent_size: expected at least 0"):
        SequenceVRNN(BernoulliOutput(2), latent_size=-1)
    with pytest.raises(ConfigError, match="hidden_size: expected at least 1"):
        SequenceVRNN(BernoulliOutput(2), hidden_size=0)
