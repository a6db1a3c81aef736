"""Batch normalisation of posterior means against PyTorch's, and where it must not reach."""

import pytest
import torch
from small_sequences import LATENT, batch_of, build, rolls
from torch import nn

from inference import BoundConfig, TrainingConfig
from inference.processes import Processes
from inference.sequences import SequenceObjective, fit_sequences, posterior, score_sequences
from inference.sequences.normalised_mean import NormalisedMean
from inference.weight_average import WeightAverage
from pyro_nem.errors import ConfigError

pytestmark = pytest.mark.usefixtures("double_precision")


def test_it_is_batch_norm_over_the_rows_that_count():
    torch.manual_seed(0)
    # Four of five rows count, and so does the step for the averages.
    ours, theirs = NormalisedMean(3, scale=0.7, momentum=0.25), nn.BatchNorm1d(3, momentum=0.2)
    theirs.weight.data.fill_(0.7)
    counted = torch.tensor([True, True, False, True, True])
    for _ in range(3):
        loc = torch.randn(5, 3, requires_grad=True)
        found = ours(loc, counted)
        expected = theirs(loc[counted])
        torch.testing.assert_close(found[counted], expected)
        weights = torch.randn(4, 3)
        mine, reference = (
            torch.autograd.grad((value * weights).sum(), loc, retain_graph=True)[0]
            for value in (found[counted], expected)
        )
        torch.testing.assert_close(mine, reference)
        torch.testing.assert_close(ours.mean, theirs.running_mean)
    # PyTorch keeps the unbiased variance for later, ours is that by which it has divided.
    assert (ours.variance < theirs.running_var).all()
    ours.eval()
    loc = torch.randn(2, 3)
    expected = 0.7 * (loc - ours.mean) / (ours.variance + 1e-5).sqrt()
    torch.testing.assert_close(ours(loc, counted[:2]), expected)


@pytest.mark.parametrize("counted", [[True, False], [False, False]])
def test_fewer_than_two_rows_use_and_keep_the_averages(counted):
    module = NormalisedMean(2)
    module.mean += 1.0
    found = module(torch.zeros(2, 2), torch.tensor(counted))
    torch.testing.assert_close(found, torch.full((2, 2), -0.5), rtol=1e-4, atol=0.0)
    assert (module.mean == 1.0).all()
    assert (module.variance == 1.0).all()


def test_a_step_weighs_in_the_averages_by_its_sequences():
    torch.manual_seed(1)
    module = NormalisedMean(1, momentum=0.02)
    early, late = torch.randn(8, 1), 5.0 + torch.randn(8, 1)
    few = torch.tensor([True] * 2 + [False] * 6)
    for _ in range(600):
        module(early, torch.ones(8, dtype=bool))
        module(late, few)
    expected = (8 * early.mean() + 2 * late[few].mean()) / 10
    torch.testing.assert_close(module.mean, expected.reshape(1), rtol=0.05, atol=1e-3)


def test_particles_of_one_sequence_are_not_normalised_against_each_other():
    module = NormalisedMean(2)
    loc = torch.randn(4, 2)
    expected = module.scale * loc / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(module(loc, torch.tensor([True])), expected)
    # Of several sequences all particles count.
    found = module(loc, torch.tensor([True, True]))
    torch.testing.assert_close(found.mean(0), torch.zeros(2))


def objective(**options):
    model, guide = build(batch_norm=True, **options)
    return SequenceObjective(model, guide, bound=BoundConfig(divergence="analytic"))


def test_training_batches_are_normalised_and_padding_does_not_count():
    module = objective(residual=False)
    batch = batch_of((3, 5, 5))
    generator = torch.Generator().manual_seed(0)
    loc = module.guide.rollout(batch, generator, particles=2).posterior.loc  # [S, T, B, H]
    for t in range(len(batch.x)):
        rows = loc[:, t, batch.mask[t]].reshape(-1, LATENT)
        torch.testing.assert_close(rows.mean(0), torch.zeros(LATENT))
        variance = torch.full((LATENT,), 0.25)
        torch.testing.assert_close(rows.var(0, correction=0), variance, rtol=0.05, atol=0.0)
    changed = batch._replace(x=torch.where(batch.mask.unsqueeze(-1), batch.x, 1.0))
    torch.testing.assert_close(
        module(batch, torch.Generator().manual_seed(1)).bound,
        module(changed, torch.Generator().manual_seed(1)).bound,
    )


def test_scores_do_not_depend_on_the_batch_and_leave_the_averages_alone(monkeypatch):
    monkeypatch.setattr(posterior, "standard_normal", lambda shape, like, g: torch.zeros(shape))
    module = objective()
    module(batch_of(), torch.Generator())
    before = {name: part.clone() for name, part in module.named_buffers()}
    assert module.guide.normalised.training
    together, alone = (
        score_sequences(module, rolls(), rows_at_once=rows).values["kl"] for rows in (12, 1)
    )
    torch.testing.assert_close(together, alone)
    assert module.guide.normalised.training
    for name, part in module.named_buffers():
        assert torch.equal(part, before[name])


def test_averaged_weights_have_the_averages_of_the_last_update():
    module = objective()
    average = WeightAverage(module, 0.9)
    for _ in range(2):
        module(batch_of(), torch.Generator())
        average.update(module)
    assert not torch.equal(module.guide.normalised.mean, torch.zeros(LATENT))
    assert torch.equal(average.module.guide.normalised.mean, module.guide.normalised.mean)


def test_several_processes_are_refused():
    config = TrainingConfig(updates=1, batch_size=2)
    with pytest.raises(ConfigError, match="batch_norm: its averages would differ in 2 processes"):
        fit_sequences(objective(), rolls(), config=config, processes=Processes(0, 2))
