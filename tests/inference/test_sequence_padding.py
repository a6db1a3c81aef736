"""What stands behind the end of a sequence reaches neither its bound nor a gradient."""

import math

import pytest
import torch
from small_sequences import LATENT, LENGTHS, batch_of, build

from inference import BoundConfig
from inference.sequences import SequenceObjective, SequencePosterior, posterior
from models import (
    AutoregressiveOutput,
    BernoulliOutput,
    CategoricalOutput,
    GaussianMixtureOutput,
    GaussianOutput,
    PenOutput,
    SequenceVRNN,
)
from pyro_nem.data import SequenceBatch

pytestmark = pytest.mark.usefixtures("double_precision")

BATCH, STEPS = len(LENGTHS), max(LENGTHS)
# Densities of the second overflow.
FILLINGS = (1.0, 1e200, math.nan)
LAWS = {
    "bits": lambda: BernoulliOutput(2),
    "gaussian": lambda: GaussianOutput(2),
    "mixture": lambda: GaussianMixtureOutput(2, 3),
    "pen": lambda: PenOutput(2),
    "tuple": lambda: CategoricalOutput((3, 2)),
    "waveform": lambda: AutoregressiveOutput(4, torch.tensor([0.5, -0.2])),
}


def gradients(value, module):
    return torch.autograd.grad(value, list(module.parameters()), materialize_grads=True)


def filled(batch, filling):
    return batch._replace(x=batch.x.where(batch.mask[..., None], filling))


@pytest.mark.parametrize("smoothing", [False, True])
@pytest.mark.parametrize(
    "bound", [BoundConfig("iwae", 3), BoundConfig("fivo", 3, resample=1.0)], ids=str
)
def test_padding_and_neighbours_change_nothing(smoothing, bound, monkeypatch):
    model, guide = build(smoothing=smoothing)
    batch = batch_of()
    objective = SequenceObjective(model, guide, bound=bound)
    fixed = torch.randn(3, STEPS + 2, BATCH, LATENT)
    monkeypatch.setattr(torch, "rand", lambda n, **options: torch.full((n,), 0.3))

    def bound_of(part, columns):
        rows = fixed[:, :, columns].transpose(0, 1).flatten(1, 2)
        monkeypatch.setattr(posterior, "standard_normal", lambda shape, like, g: rows[: shape[0]])
        return objective(part).bound

    whole = bound_of(batch, [0, 1, 2])
    expected = gradients(whole.sum(), objective)
    longer = SequenceBatch(
        torch.cat([batch.x, torch.zeros(2, BATCH, 4)]),
        torch.cat([batch.mask, torch.zeros(2, BATCH).bool()]),
        batch.lengths,
    )
    for other in (longer, *(filled(longer, filling) for filling in FILLINGS)):
        found = bound_of(other, [0, 1, 2])
        torch.testing.assert_close(found, whole)
        torch.testing.assert_close(gradients(found.sum(), objective), expected)
    for b, steps in enumerate(LENGTHS):
        alone = SequenceBatch(
            batch.x[:steps, b : b + 1], batch.mask[:steps, b : b + 1], batch.lengths[b : b + 1]
        )
        torch.testing.assert_close(bound_of(alone, [b]), whole[b : b + 1])


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("name", LAWS)
def test_no_law_sees_the_padding(name, filling):
    """0 is a step of all of them; other fillings are none of some, or have no finite density."""
    law = LAWS[name]().double()
    model = SequenceVRNN(law, latent_size=2, hidden_size=3, width=4)
    objective = SequenceObjective(model, SequencePosterior(model))
    batch = batch_of()._replace(x=torch.zeros(STEPS, BATCH, law.size))

    def run(batch):
        loss = objective(batch, torch.Generator().manual_seed(5)).loss
        return loss, gradients(loss, objective)

    torch.testing.assert_close(run(filled(batch, filling)), run(batch))
