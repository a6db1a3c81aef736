"""Output laws against their densities written out, and where networks go to extremes."""

import math

import numpy as np
import pytest
import torch

from models import (
    BernoulliOutput,
    CategoricalOutput,
    GaussianMixtureOutput,
    GaussianOutput,
    PenOutput,
)
from pyro_nem.data import Scaling, SequenceSet
from pyro_nem.errors import ConfigError, DataError

LAWS = {
    "bits": BernoulliOutput(4, torch.tensor([0.1, 0.5, 0.0, 1.0])),
    "gaussian": GaussianOutput(3),
    "mixture": GaussianMixtureOutput(3, 4),
    "pen": PenOutput(5),
    "tuple": CategoricalOutput((3, 2, 4)),
}


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.double)
    yield
    torch.set_default_dtype(torch.float)


def raw_of(output, *shape):
    return torch.randn(*shape, output.num_parameters)


def normal(x, loc, scale):
    return -0.5 * ((x - loc) / scale) ** 2 - scale.log() - 0.5 * math.log(2 * math.pi)


def scale_of(raw, floor=1e-3):
    return torch.log1p(torch.exp(raw + 0.5413)) + floor


@pytest.mark.parametrize("name", LAWS)
def test_shapes(name):
    output = LAWS[name].double()
    law = output.law(raw_of(output, 6, 2))
    x = law.sample().to(torch.double)
    assert x.shape == (6, 2, output.size)
    assert law.event_shape == (output.size,)
    assert law.log_prob(x).shape == (6, 2)
    features = output.features(x)
    # Choices are told by their places.
    read = output.size if features.dtype == torch.int64 else output.num_inputs
    assert features.shape == (6, 2, read)
    # Particles stand left of what is observed once.
    assert output.law(raw_of(output, 5, 6, 2)).log_prob(x).shape == (5, 6, 2)


def test_bits_start_from_the_frequencies_of_the_data():
    mean = torch.tensor([0.1, 0.5, 0.0])
    output = BernoulliOutput(3, mean)
    law = output.law(torch.zeros(3))
    torch.testing.assert_close(law.mean, mean.clamp(1e-4))
    torch.testing.assert_close(output.features(mean), mean - mean.clamp(1e-4))
    assert law.log_prob(torch.ones(3)).isfinite()
    raw, x = torch.randn(3), torch.tensor([1.0, 0.0, 1.0])
    p = torch.sigmoid(raw + mean.clamp(1e-4).logit())
    by_hand = (x * p + (1 - x) * (1 - p)).log().sum()
    torch.testing.assert_close(output.law(raw).log_prob(x), by_hand)
    assert "mean" in output.state_dict()


def test_a_gaussian_by_hand():
    output = GaussianOutput(3, min_scale=0.2)
    raw, x = torch.randn(6), torch.randn(3)
    by_hand = normal(x, raw[:3], scale_of(raw[3:], 0.2)).sum()
    torch.testing.assert_close(output.law(raw).log_prob(x), by_hand)


def test_a_mixture_by_hand():
    output = GaussianMixtureOutput(2, 3)
    raw, x = raw_of(output), torch.randn(2)
    parts = raw[3:].view(3, 4)
    each = normal(x, parts[:, :2], scale_of(parts[:, 2:])).sum(1)
    by_hand = (raw[:3].log_softmax(0) + each).logsumexp(0)
    torch.testing.assert_close(output.law(raw).log_prob(x), by_hand)


def test_a_pen_by_hand():
    """Graves (2013), equations 24 and 25."""
    output = PenOutput(4)
    raw, x = raw_of(output), torch.tensor([1.0, 0.4, -0.8])
    weights, heads = raw[1:5].softmax(0), raw[5:21].view(4, 4)
    (m1, m2), (s1, s2) = heads[:, :2].T, scale_of(heads[:, 2:]).T
    rho = 0.999 * raw[21:].tanh()
    u, v = (x[1] - m1) / s1, (x[2] - m2) / s2
    square = u**2 + v**2 - 2 * rho * u * v
    density = torch.exp(-square / (2 * (1 - rho**2))) / (
        2 * math.pi * s1 * s2 * (1 - rho**2).sqrt()
    )
    by_hand = (weights * density).sum().log() + torch.sigmoid(raw[0]).log()
    torch.testing.assert_close(output.law(raw).log_prob(x), by_hand)


def test_a_pen_integrates_to_one():
    output = PenOutput(2)
    torch.manual_seed(3)
    law = output.law(raw_of(output))
    axis = torch.linspace(-12.0, 12.0, 601)
    dx, dy = torch.meshgrid(axis, axis, indexing="ij")
    for_each_bit = [
        law.log_prob(torch.stack([torch.full_like(dx, pen), dx, dy], -1)).exp().sum()
        for pen in (0.0, 1.0)
    ]
    assert sum(for_each_bit).item() * (axis[1] - axis[0]).item() ** 2 == pytest.approx(1, abs=1e-4)


def test_the_density_of_a_pen_has_a_limit():
    """Whatever the data, as on a grid: that of the floors of scales and of the correlation."""
    raw = torch.tensor([50.0, 0.0, 0.0, 0.0, -1e4, -1e4, 1e4])
    found = PenOutput(1).law(raw).log_prob(torch.tensor([1.0, 0.0, 0.0]))
    limit = -math.log(2 * math.pi * 1e-3**2 * math.sqrt(1 - 0.999**2))
    assert found.item() == pytest.approx(limit, abs=1e-3)
    assert 15 < limit < 16


def test_tuples_by_hand():
    output = CategoricalOutput((3, 2))
    raw = raw_of(output)
    grid = torch.cartesian_prod(torch.arange(3), torch.arange(2)).double()
    found = output.law(raw).log_prob(grid)
    a, b = raw[:3].log_softmax(0), raw[3:].log_softmax(0)
    torch.testing.assert_close(found, (a[:, None] + b).flatten())
    torch.testing.assert_close(found.exp().sum(), torch.tensor(1.0))
    assert output.features(torch.tensor([2.0, 1.0])).tolist() == [2, 3 + 1]
    assert not output.state_dict()


@pytest.mark.parametrize("factor", [0.1, 3.0])
def test_data_in_other_units_move_a_density_by_their_logarithm(factor):
    """With x and the law scaled by s, log p falls by exactly D ln s."""

    def stretched(heads, size):
        loc, raw = heads[..., :size], heads[..., size:]
        wider = torch.log(torch.expm1(factor * scale_of(raw, 0.0))) - 0.5413
        return torch.cat([factor * loc, wider], -1)

    x = torch.randn(3)
    gaussian = GaussianOutput(3, min_scale=0.0)
    raw = raw_of(gaussian)
    before = gaussian.law(raw).log_prob(x)
    after = gaussian.law(stretched(raw, 3)).log_prob(factor * x)
    torch.testing.assert_close(after, before - 3 * math.log(factor))

    mixture = GaussianMixtureOutput(3, 4, min_scale=0.0)
    raw = raw_of(mixture)
    wide = torch.cat([raw[:4], stretched(raw[4:].view(4, 6), 3).flatten()])
    before, after = mixture.law(raw).log_prob(x), mixture.law(wide).log_prob(factor * x)
    torch.testing.assert_close(after, before - 3 * math.log(factor))

    pen = PenOutput(4, min_scale=0.0)
    raw, x = raw_of(pen), torch.tensor([0.0, 0.3, -2.0])
    heads = stretched(raw[5:21].view(4, 4), 2).flatten()
    before = pen.law(raw).log_prob(x)
    wide = torch.cat([raw[:5], heads, raw[21:]])
    after = pen.law(wide).log_prob(x * torch.tensor([1.0, factor, factor]))
    torch.testing.assert_close(after, before - 2 * math.log(factor))


@pytest.mark.parametrize("name", ["gaussian", "mixture", "pen"])
def test_extreme_networks_give_finite_gradients(name):
    """In float32 tanh and softplus reach their limits."""
    output = LAWS[name].float()
    for sign in (-1.0, 1.0):
        raw = (sign * 60.0 * torch.ones(output.num_parameters)).float().requires_grad_()
        x = torch.zeros(output.size).float()
        law = output.law(raw)
        density = law.log_prob(x)
        (gradient,) = torch.autograd.grad(density, raw)
        assert density.isfinite()
        assert gradient.isfinite().all()


def test_draws_of_a_pen_have_its_moments():
    output = PenOutput(1)
    raw = torch.tensor([0.7, 0.0, 1.0, -2.0, 0.3, -0.4, 0.8])
    x = output.law(raw).sample((40_000,))
    scale = scale_of(raw[4:6])
    assert x[:, 0].mean().item() == pytest.approx(torch.sigmoid(raw[0]).item(), abs=0.01)
    torch.testing.assert_close(x[:, 1:].mean(0), raw[2:4], atol=0.04, rtol=0)
    torch.testing.assert_close(x[:, 1:].std(0), scale, atol=0.02, rtol=0)
    correlation = torch.corrcoef(x[:, 1:].T)[0, 1].item()
    assert correlation == pytest.approx(0.999 * math.tanh(0.8), abs=0.02)


@pytest.mark.parametrize(
    ("output", "step", "message"),
    [
        (
            BernoulliOutput(2),
            [1.0, 0.5],
            "number 1: expected a whole .* from 0 to 1, found 0.5",
        ),
        (
            BernoulliOutput(2),
            [-1.0, 0.0],
            "number 0: .* from 0 to 1, found -1",
        ),
        (CategoricalOutput((3, 2)), [3.0, 1.0], "number 0: .* from 0 to 2, found 3"),
        (CategoricalOutput((3, 2)), [2.0, 2.0], "number 1: .* from 0 to 1, found 2"),
        (PenOutput(2), [2.0, -7.3, 40.0], "number 0: .* from 0 to 1, found 2"),
    ],
)
def test_steps_without_a_density_are_named(output, step, message):
    good = [0.0] * len(step)
    data = SequenceSet("marks", [np.array([good]), np.array([good, good, step])])
    with pytest.raises(DataError, match=f"marks, sequence 1, step 2, {message}"):
        output.check(data)


@pytest.mark.parametrize(
    ("output", "step"),
    [
        (BernoulliOutput(2), [1.0, 0.0]),
        (CategoricalOutput((3, 2)), [2.0, 1.0]),
        (PenOutput(2), [1.0, -7.3, 40.0]),
        (GaussianOutput(2), [-7.3, 40.0]),
        (GaussianMixtureOutput(2), [-7.3, 40.0]),
    ],
)
def test_data_are_checked_in_the_units_of_their_batches(output, step):
    recorded, size = np.array([step]), len(step)
    output.check(SequenceSet("marks", [recorded]))
    scaling = Scaling(np.full(size, 3.0), np.full(size, 0.25))
    output.check(SequenceSet("marks", [scaling.undo(recorded)], scaling))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BernoulliOutput(0), "size: expected at least 1"),
        (lambda: BernoulliOutput(2, torch.tensor([0.5])), "mean: expected 2 frequencies"),
        (lambda: BernoulliOutput(1, torch.tensor([1.5])), "mean: expected 1 frequencies"),
        (lambda: GaussianOutput(0), "size: expected"),
        (lambda: GaussianOutput(1, min_scale=-1.0), "min_scale: expected at least 0, got -1.0"),
        (lambda: GaussianOutput(1, min_scale=math.nan), "min_scale: expected at least 0, got nan"),
        (lambda: GaussianMixtureOutput(2, min_scale=-1.0), "min_scale: expected at least 0"),
        (lambda: PenOutput(min_scale=-1.0), "min_scale: expected at least 0"),
        (lambda: GaussianMixtureOutput(2, 0), "components: expected"),
        (lambda: PenOutput(0), "components: expected"),
        (lambda: CategoricalOutput(()), "sizes: expected at least one choice"),
        (lambda: CategoricalOutput((2, 0)), "sizes: expected at least 1"),
    ],
)
def test_impossible_laws_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
