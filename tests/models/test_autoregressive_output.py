"""Frames whose samples are predicted from those before, against the law written out."""

import math

import numpy as np
import pytest
import torch
from pyro import poutine

from inference import BoundConfig
from inference.sequences import SequenceObjective, SequencePosterior, continue_sequences
from models import AutoregressiveOutput, SequenceVRNN
from models.outputs.autoregressive import AutoregressiveLaw
from pyro_nem.data import SequenceBatch, SequenceSet
from pyro_nem.errors import ConfigError
from pyro_nem.metrics import linear_prediction

COEFFICIENTS = torch.tensor([0.9, -0.4, 0.2], dtype=torch.double)
SIZE, ORDER = 6, 3


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.double)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float)


def output(**options):
    return AutoregressiveOutput(SIZE, COEFFICIENTS, **options)


def by_hand(law, before, x):
    known = [*before[-ORDER:].tolist(), *x.tolist()]
    total = 0.0
    for d in range(len(x)):
        past = known[d : d + ORDER][::-1]
        mean = law._loc[d] + sum(a * p for a, p in zip(law._coefficients, past, strict=True))
        total += torch.distributions.Normal(mean, law._scale[d]).log_prob(x[d])
    return total


def test_a_density_by_hand():
    x, before = torch.randn(SIZE), torch.randn(SIZE)
    law = output().law(torch.randn(output().num_parameters), before)
    torch.testing.assert_close(law.log_prob(x), by_hand(law, before, x))
    assert (law.batch_shape, law.event_shape) == ((), (SIZE,))


def test_only_the_end_of_the_frame_before_is_read():
    raw, x, before = torch.randn(output().num_parameters), torch.randn(SIZE), torch.randn(SIZE)
    density = output().law(raw, before).log_prob(x)
    for place, same in ((ORDER, False), (ORDER + 1, True)):
        other = before.clone()
        other[-place] += 1.0
        assert torch.equal(output().law(raw, other).log_prob(x), density) == same
    silent = output().law(raw, torch.zeros(SIZE))
    assert torch.equal(output().law(raw).log_prob(x), silent.log_prob(x))


def test_a_network_starts_from_the_coefficients_it_was_given():
    law = output().law(torch.zeros(output().num_parameters))
    torch.testing.assert_close(law._coefficients, COEFFICIENTS, atol=1e-4, rtol=0)
    torch.testing.assert_close(law._scale, torch.full((SIZE,), 1.001), atol=1e-4, rtol=0)


def test_draws_have_the_moments_of_the_law():
    raw, before = 0.3 * torch.randn(output().num_parameters), torch.randn(SIZE)
    law = output().law(raw, before)
    x = law.sample((40_000,))
    known = torch.cat([before[-ORDER:].expand(len(x), -1), x], 1)
    predicted = sum(
        law._coefficients[j] * known[:, ORDER - 1 - j : ORDER - 1 - j + SIZE] for j in range(ORDER)
    )
    noise = (x - predicted - law._loc) / law._scale
    torch.testing.assert_close(noise.mean(0), torch.zeros(SIZE), atol=0.03, rtol=0)
    torch.testing.assert_close(torch.cov(noise.T), torch.eye(SIZE), atol=0.03, rtol=0)


def test_draws_stay_bounded_whatever_the_network_gives():
    for sign in (-60.0, 60.0):
        raw = torch.cat([torch.zeros(2 * SIZE), torch.full((ORDER,), sign)]).float()
        raw.requires_grad_()
        found = output().float()
        law = found.law(raw, torch.ones(SIZE).float())
        (gradient,) = torch.autograd.grad(law.log_prob(torch.ones(SIZE).float()), raw)
        assert gradient.isfinite().all()
        x = torch.ones(4, SIZE).float()
        for _ in range(200):
            x = found.law(raw.detach().expand(4, -1), x).sample()
        # Three resonances at 0.9999 have a gain of 1e11 in power.
        assert x.abs().max() < 1e7


def test_other_units_move_the_density_by_their_logarithm():
    """Linear prediction has no units; offset and scale of a sample do."""
    factor, x, before = 3.0, torch.randn(SIZE), torch.randn(SIZE)
    loc, scale, past = torch.randn(SIZE), 0.1 + torch.rand(SIZE), before[-ORDER:]
    one = AutoregressiveLaw(loc, scale, COEFFICIENTS, past)
    other = AutoregressiveLaw(factor * loc, factor * scale, COEFFICIENTS, factor * past)
    expected = one.log_prob(x) - SIZE * math.log(factor)
    torch.testing.assert_close(other.log_prob(factor * x), expected)


def test_what_a_network_reads_tells_the_volume():
    law, x = output(), torch.randn(5, 2, SIZE)
    read = law.features(x)
    assert read.shape == (5, 2, law.num_inputs)
    louder = law.features(10.0 * x)
    logs = slice(SIZE, SIZE + 21)
    torch.testing.assert_close(louder[..., :SIZE], read[..., :SIZE], atol=1e-3, rtol=1e-3)
    moved = louder[..., logs] - read[..., logs]
    torch.testing.assert_close(moved, torch.full_like(moved, 0.5 * math.log(10)), atol=0.05, rtol=0)
    # Correlations of neighbouring samples are the last number.
    expected = (x[..., 1:] * x[..., :-1]).sum(-1) / x.square().sum(-1)
    torch.testing.assert_close(read[..., -1], expected, atol=1e-4, rtol=1e-4)


def vrnn(latent_size=2):
    torch.manual_seed(1)
    model = SequenceVRNN(output(), latent_size=latent_size, hidden_size=3, width=4)
    return model, SequencePosterior(model)


def test_both_programs_of_a_vrnn_read_the_same_frame_before():
    model, guide = vrnn()
    with torch.no_grad():
        trace = poutine.trace(model.imagine).get_trace(model.initial(2), 4)
        x = trace.nodes["_RETURN"]["value"]
        batch = SequenceBatch(x, torch.ones(4, 2, dtype=bool), torch.tensor([4, 4]))
        z = torch.stack([trace.nodes[f"z_{t}"]["value"] for t in range(4)])
        rollout = guide.rescore(batch, z)
        ours = poutine.trace(poutine.condition(model, {"z": z})).get_trace(batch, rollout)
    torch.testing.assert_close(ours.log_prob_sum(), trace.log_prob_sum())


def test_a_piece_of_a_sequence_is_scored_as_in_the_whole():
    model, guide = vrnn(latent_size=1)
    # The recurrence knows nothing, so that only the frame before tells a piece from a whole.
    model.cell.weight_ih.data.zero_()
    model.cell.bias_ih.data.zero_()
    model.cell.bias_hh.data.zero_()
    torch.manual_seed(2)
    whole = SequenceSet("frames", [torch.randn(5, SIZE).numpy()])
    z = torch.randn(5, 1, 1)

    def nats(batch, z):
        trace = poutine.trace(poutine.condition(model, {"z": z}))
        rollout = guide.rescore(batch, z)
        return trace.get_trace(batch, rollout).nodes["x"]["fn"].log_prob(batch.x)[:, 0]

    with torch.no_grad():
        expected = nats(whole.batch([0]), z)
        pieces = whole.pieces(2)
        found = [nats(pieces.batch([n]), z[2 * n : 2 * n + 2]) for n in range(3)]
        cut = nats(whole.pieces(2, connected=False).batch([1]), z[2:4])
    torch.testing.assert_close(torch.cat(found), expected)
    assert (cut[0] - expected[2]).abs() > 0.01


def test_resampled_particles_weigh_with_the_frame_before():
    """The law is asked for each step with the frame before it."""
    model, guide = vrnn()
    x = torch.randn(3, 2, SIZE)
    first = torch.randn(2, SIZE)
    batch = SequenceBatch(x, torch.ones(3, 2, dtype=bool), torch.tensor([3, 3]), before=first)
    seen = []
    original = model.law_of_steps.law

    def watched(raw, before=None):
        seen.append((raw.shape, before))
        return original(raw, before)

    model.output.law = watched
    objective = SequenceObjective(model, guide, bound=BoundConfig("fivo", 2))
    objective(batch, torch.Generator().manual_seed(0))
    steps = [before for shape, before in seen if len(shape) == 3]
    expected = torch.cat([first.unsqueeze(0), x[:-1]])
    torch.testing.assert_close(torch.stack(steps), expected)


def test_a_continuation_begins_where_the_beginning_ended():
    model, guide = vrnn()
    for parameter in model.parameters():
        parameter.data.zero_()
    model.decoder[-1].bias.data[SIZE : 2 * SIZE] = -20.0
    x = torch.zeros(2, 1, SIZE)
    x[1, 0, -1] = 1.0
    batch = SequenceBatch(x, torch.ones(2, 1, dtype=bool), torch.tensor([2]))
    found = continue_sequences(SequenceObjective(model, guide), batch, 1)
    assert found[2, 0, 0].item() == pytest.approx(COEFFICIENTS[0].item(), abs=0.01)


@pytest.mark.parametrize("dtype", [torch.float, torch.double])
@pytest.mark.parametrize("convert", [lambda found: found, torch.from_numpy])
def test_coefficients_are_taken_as_linear_prediction_gives_them(dtype, convert):
    waves = [np.sin(np.arange(60.0) + start).reshape(-1, SIZE) for start in (0.0, 0.5)]
    data = SequenceSet("waves", waves)
    found = linear_prediction(data, ORDER)
    torch.set_default_dtype(dtype)
    law = AutoregressiveOutput(SIZE, convert(found))
    assert law.coefficients.tolist() == pytest.approx(found.tolist())
    assert law.features(data.batch([0, 1]).x.to(dtype)).dtype == dtype
    start = law.law(torch.zeros(law.num_parameters))
    assert start._coefficients.tolist() == pytest.approx(found.tolist(), abs=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AutoregressiveOutput(0, COEFFICIENTS), "size: expected at least 1"),
        (lambda: output(min_scale=-1.0), "min_scale: expected at least 0, got -1.0"),
        (lambda: AutoregressiveOutput(2, COEFFICIENTS), "coefficients: expected 1 to 2 numbers"),
        (lambda: AutoregressiveOutput(2, torch.zeros(0)), "coefficients: expected 1 to 2"),
        (lambda: AutoregressiveOutput(2, torch.tensor([1.1])), "expected those of a stable filter"),
        (lambda: AutoregressiveOutput(4, torch.tensor([0.0, 1.2])), "a stable filter"),
        (lambda: AutoregressiveOutput(4, torch.tensor([0.99995])), "a stable filter"),
    ],
)
def test_impossible_laws_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
