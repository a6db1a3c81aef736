"""Bounds of a linear Gaussian walk, whose likelihood a Kalman filter knows.

A copy of a sequence is a sequence with draws of its own.
"""

import math

import pytest
import torch
from small_sequences import OPTIMAL, Gain, Walk, kalman

from inference import BoundConfig
from inference.sequences import SequenceObjective
from pyro_nem.data import SequenceBatch


def generator(seed=5):
    return torch.Generator().manual_seed(seed)


def walks(copies, steps=6, seed=0):
    """Copies of one sequence of a walk, and its log p(x)."""
    x = torch.randn(steps, generator=generator(seed)).double().cumsum(0)
    batch = SequenceBatch(
        x.view(-1, 1, 1).expand(-1, copies, 1),
        torch.ones(steps, copies).bool(),
        torch.full((copies,), steps),
    )
    return batch, kalman(x)


def walk_bound(bound, copies=20_000, proposal=(0.3, 0.7), steps=6):
    model = Walk().double()
    guide = Gain(model, *proposal).double()
    batch, truth = walks(copies, steps)
    objective = SequenceObjective(model, guide, bound=bound)
    with torch.no_grad():
        return objective(batch, generator()).bound - truth


def z_score(draws):
    return draws.mean().item() / (draws.std().item() / math.sqrt(len(draws)))


def test_bounds_of_a_walk_rise_to_the_likelihood_of_the_kalman_filter():
    bounds = [BoundConfig(), *(BoundConfig("iwae", s) for s in (2, 8, 32))]
    found = [walk_bound(bound) for bound in bounds]
    for lower, higher in zip(found, [*found[1:], torch.zeros(2).double()], strict=True):
        gap = higher.mean() - lower.mean()
        error = (lower.var() / len(lower) + higher.var() / len(higher)).sqrt()
        assert gap > 4 * error


@pytest.mark.parametrize(
    "bound",
    [BoundConfig("iwae", 4), BoundConfig("fivo", 4), BoundConfig("fivo", 4, resample=1.0)],
    ids=str,
)
def test_the_weight_estimate_has_no_bias(bound):
    ratio = walk_bound(bound).exp()
    assert ratio.std() > 0.05
    assert abs(z_score(ratio - 1.0)) < 4


def test_resampling_helps_in_long_sequences_and_approaches_the_truth():
    def mean(name, particles):
        return walk_bound(BoundConfig(name, particles), 100, steps=60).mean().item()

    iwae, few, many = mean("iwae", 8), mean("fivo", 8), mean("fivo", 1024)
    assert iwae < few - 0.5
    assert few < many - 0.5
    assert -0.1 < many < 0.02


def test_the_optimal_proposal_of_one_step_has_no_variance():
    found = walk_bound(BoundConfig(), 100, proposal=OPTIMAL, steps=1)
    torch.testing.assert_close(found, torch.zeros(100).double(), atol=1e-10, rtol=0)
