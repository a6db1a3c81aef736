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
    # Four of five rows count, and so does the step for the averages: 0.2 of them is replaced.
    ours = NormalisedMean(3, 2, scale=0.7, momentum=0.25)
    theirs = nn.BatchNorm1d(3, eps=1e-30, momentum=None)
    theirs.weight.data.fill_(0.7)
    counted = torch.tensor([True, True, False, True, True])
    for batch in range(8):
        if batch == 5:
            # So far the averages were those of all rows.
            theirs.momentum = 0.2
        loc = torch.randn(5, 3, requires_grad=True)
        found = ours(1, loc, counted)
        expected = theirs(loc[counted])
        torch.testing.assert_close(found[counted], expected)
        weights = torch.randn(4, 3)
        mine, reference = (
            torch.autograd.grad((value * weights).sum(), loc, retain_graph=True)[0]
            for value in (found[counted], expected)
        )
        torch.testing.assert_close(mine, reference)
        torch.testing.assert_close(ours.mean[1], theirs.running_mean)
        torch.testing.assert_close(ours.variance[1], theirs.running_var)
    ours.eval()
    theirs.eval()
    loc = torch.randn(2, 3)
    torch.testing.assert_close(ours(1, loc, counted[:2]), theirs(loc))


def test_the_size_of_the_means_changes_nothing():
    torch.manual_seed(0)
    module = NormalisedMean(3, 1)
    loc = 1e-2 * torch.randn(6, 3)
    loc.requires_grad_()
    all_rows = torch.ones(6, dtype=bool)
    found = module(0, loc, all_rows)
    torch.testing.assert_close(found, module(0, 1000 * loc, all_rows))
    (gradient,) = torch.autograd.grad((found * torch.randn(6, 3)).sum(), loc)
    centred = loc.detach() - loc.detach().mean(0)
    assert gradient.abs().max() > 1
    torch.testing.assert_close((gradient * centred).sum(0), torch.zeros(3), atol=1e-9, rtol=0.0)
    same = module(0, torch.full((6, 3), 0.3), all_rows)
    torch.testing.assert_close(same, torch.zeros(6, 3))


@pytest.mark.parametrize("counted", [[True, False], [False, False]])
def test_fewer_than_two_rows_use_and_keep_the_averages(counted):
    module = NormalisedMean(2, 1)
    module.mean += 1.0
    found = module(0, torch.zeros(2, 2), torch.tensor(counted))
    torch.testing.assert_close(found, torch.full((2, 2), -0.5))
    assert (module.mean == 1.0).all()
    assert (module.variance == 1.0).all()
    assert (module.rows == 0).all()


def test_each_step_has_its_own_averages_and_later_ones_those_of_the_last():
    torch.manual_seed(1)
    module = NormalisedMean(1, 3)
    offsets = (-4.0, 9.0)
    spreads = (0.01, 3.0)
    for _ in range(40):
        for t in range(2):
            loc = offsets[t] + spreads[t] * torch.randn(64, 1)
            module(t, loc, torch.ones(64, dtype=bool))
    module.eval()
    for t, had in ((0, 0), (1, 1), (2, 1), (7, 1)):
        loc = offsets[had] + spreads[had] * torch.randn(4000, 1)
        found = module(t, loc, torch.ones(4000, dtype=bool)).detach()
        assert abs(float(found.mean())) < 0.05
        assert float(found.std()) == pytest.approx(0.5, rel=0.06)


def test_steps_beyond_the_averages_are_normalised_by_their_batch_in_training():
    module = NormalisedMean(2, 1)
    found = module(3, torch.randn(5, 2), torch.ones(5, dtype=bool))
    torch.testing.assert_close(found.mean(0), torch.zeros(2))
    assert (module.rows == 0).all()


def test_particles_of_one_sequence_are_not_normalised_against_each_other():
    module = NormalisedMean(2, 1)
    loc = torch.randn(4, 2)
    torch.testing.assert_close(module(0, loc, torch.tensor([True])), module.scale * loc)
    # Of several sequences all particles count.
    found = module(0, loc, torch.tensor([True, True]))
    torch.testing.assert_close(found.mean(0), torch.zeros(2))


def test_no_steps_are_refused():
    with pytest.raises(ConfigError, match="steps: expected at least 1, got 0"):
        NormalisedMean(2, 0)


def objective(**options):
    model, guide = build(batch_norm=6, **options)
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
        torch.testing.assert_close(rows.var(0, correction=0), variance)
    changed = batch._replace(x=torch.where(batch.mask.unsqueeze(-1), batch.x, 1.0))
    torch.testing.assert_close(
        module(batch, torch.Generator().manual_seed(1)).bound,
        module(changed, torch.Generator().manual_seed(1)).bound,
    )


def test_scores_are_normalised_as_training_was():
    module = objective(residual=False)
    batch = batch_of((5, 5, 5, 5))

    def means():
        rollout = module.guide.rollout(batch, torch.Generator().manual_seed(0))
        return rollout.posterior.loc  # [T, B, H]

    trained = means()
    module.eval()
    # The averages are of the population's variance, a batch is divided by that of its four rows.
    module.guide.normalised.variance *= 3 / 4
    torch.testing.assert_close(means(), trained)


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
