"""The generative program on its own: sampling, enumeration, rendering, errors."""

import math

import pyro
import pytest
import torch
from pyro import poutine
from pyro.infer import Predictive, TraceEnum_ELBO

from inference.guides import RNNEM
from models import GaussianPixels, RecurrentPrior, SpatialMixture, UnitCube, select_component
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError
from pyro_nem.networks import DenseDecoder, FlatEncoder, GatedCell, LocatedDecoder

SHAPE = (4, 4, 1)


def mixture(components=3, shape=SHAPE, **options):
    torch.manual_seed(0)
    return SpatialMixture(DenseDecoder(shape, 5), components, **options)


def make_clip(steps=2, batch=3):
    frames = (torch.rand(steps + 1, batch, 16, 1) < 0.4).float()
    return Clip(frames[:-1], frames[1:])


@pytest.mark.parametrize("components", [1, 3])
def test_the_prior_predictive_samples_everything(components):
    model = mixture(components)
    draws = Predictive(model, num_samples=7)(steps=2, batch=3)
    assert draws["theta"].shape == (7, 2, 3, 1, components, 5)
    assert draws["z"].shape == (7, 2, 3, 16)
    assert draws["x"].shape == (7, 2, 3, 16, 1)
    assert set(draws["x"].unique().tolist()) <= {0.0, 1.0}
    assert draws["z"].max() < components


def test_prior_samples_follow_the_density():
    """The mean of x under the prior is the mean over components of psi."""
    model = mixture(2, learn_mixing=True)
    model.mixing_logits.data = torch.tensor([0.8, 0.2]).log()
    psi = torch.tensor([0.9, 0.3]).view(1, 1, 2, 1, 1).expand(1, 4000, 2, 16, 1)
    x = model.draw_pixels(psi)
    expected = 0.8 * 0.9 + 0.2 * 0.3
    error = math.sqrt(expected * (1 - expected) / x.numel())
    assert abs(x.mean().item() - expected) < 4 * error


def test_the_posterior_predictive_follows_the_guide():
    model = mixture()
    guide = RNNEM(model)
    clip = make_clip()
    predictive = Predictive(poutine.uncondition(model), guide=guide, num_samples=5)
    draws = predictive(clip)
    assert draws["x"].shape == (5, 2, 3, 16, 1)
    assert not torch.equal(draws["x"][0], clip.targets)


def test_the_posterior_predictive_of_a_rollout_has_its_mean():
    model = mixture(2)
    clip = make_clip(1, 1)
    guide = RNNEM(model)
    rollout = guide.rollout(clip, torch.Generator().manual_seed(0))
    predictive = Predictive(poutine.uncondition(model), guide=guide, num_samples=3000)
    mean = predictive(clip, rollout)["x"].mean(0)
    expected = rollout.psi.mean(2)
    assert (mean - expected).abs().max() < 4 * math.sqrt(0.25 / 3000)


def test_render_model_shows_the_plates_and_sites():
    graph = pyro.render_model(mixture(), model_args=(make_clip(),))
    for name in ("theta", "z", "x", "time", "batch", "pixel"):
        assert name in graph.source


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("particles", [None, 4])
def test_moving_the_component_axis_equals_gathering(channels, particles):
    leading = () if particles is None else (particles,)
    psi = torch.rand(*leading, 2, 3, 4, 5, channels)
    enumerated = torch.arange(4).view(4, *(1,) * (len(leading) + 3))
    moved = select_component(psi, enumerated)
    for k in range(4):
        sampled = torch.full((*leading, 2, 3, 5), k)
        torch.testing.assert_close(select_component(psi, sampled), moved[k])
        torch.testing.assert_close(moved[k], psi[..., k, :, :])


def test_gathering_broadcasts_over_particles():
    psi = torch.rand(2, 3, 4, 5, 1)
    z = torch.randint(4, (6, 2, 3, 5))
    found = select_component(psi, z)
    assert found.shape == (6, 2, 3, 5, 1)
    assert found[3, 1, 2, 4, 0] == psi[1, 2, z[3, 1, 2, 4], 4, 0]


def test_the_elbo_sums_z_out_exactly():
    """TraceEnum's loss against the sum over all assignments of a tiny image."""
    model = SpatialMixture(DenseDecoder((1, 3, 1), 5), 2, learn_mixing=True).double()
    model.mixing_logits.data = torch.tensor([0.3, -0.4]).double()
    clip = Clip(
        torch.zeros(1, 1, 3, 1).double(), torch.tensor([1.0, 0, 1]).double().view(1, 1, 3, 1)
    )
    rollout = tiny_rollout(model, clip)
    pi = model.mixing_logits.softmax(0)
    psi = rollout.psi[0, 0, :, :, 0]
    total = 0.0
    for assignment in range(8):
        p = 1.0
        for i in range(3):
            k = assignment >> i & 1
            x = clip.targets[0, 0, i, 0]
            p = p * pi[k] * (psi[k, i] if x else 1 - psi[k, i])
        total = total + p

    def guide(clip, rollout):
        with pyro.plate("time", 1, dim=-3), pyro.plate("batch", 1, dim=-2):
            pyro.sample("theta", pyro.distributions.Delta(rollout.theta.unsqueeze(-3), event_dim=2))

    loss = TraceEnum_ELBO(max_plate_nesting=3).loss(model, guide, clip, rollout)
    assert loss == pytest.approx(-total.log().item(), abs=1e-12)


def tiny_rollout(model, clip):
    guide = RNNEM(model, FlatEncoder((1, 3, 4)), GatedCell(12, 5)).double()
    return guide.rollout(clip, torch.Generator().manual_seed(0))


def test_the_psi_of_a_rollout_serves_its_own_states_only():
    model = mixture()
    clip = make_clip()
    rollout = RNNEM(model).rollout(clip)
    dark = rollout._replace(psi=torch.zeros_like(rollout.psi))
    generate = poutine.uncondition(model)
    theta = rollout.theta.unsqueeze(-3)
    assert not poutine.condition(generate, {"theta": theta})(clip, dark).any()
    assert poutine.condition(generate, {"theta": theta.clone()})(clip, dark).any()


def test_unit_cube_includes_its_faces():
    law = UnitCube((2, 3), torch.zeros(()), validate_args=False)
    assert law.log_prob(torch.ones(2, 3)) == 0
    assert law.log_prob(torch.zeros(4, 2, 3)).shape == (4,)
    assert law.expand((5,)).log_prob(torch.rand(5, 2, 3)).eq(0).all()
    outside = torch.rand(5, 2, 3)
    outside[3, 1, 2] = 1.001
    assert law.expand((5,)).log_prob(outside)[3] == -math.inf
    draws = law.expand((1000,)).sample()
    assert draws.shape == (1000, 2, 3)
    assert abs(draws.mean().item() - 0.5) < 0.02


def test_the_weights_do_not_depend_on_the_number_of_components():
    three, five = mixture(3), mixture(5)
    five.load_state_dict(three.state_dict())


def test_rgb_frames_of_gaussian_pixels():
    torch.manual_seed(0)
    model = SpatialMixture(
        LocatedDecoder((4, 4, 3), 5, template=3, bernoulli=False), 2, pixels=GaussianPixels(0.1)
    )
    draws = Predictive(model, num_samples=2)(steps=2, batch=1)
    assert draws["x"].shape == (2, 2, 1, 16, 3)


def test_bad_arguments_are_named():
    for number in (0, 3.0, "3"):
        with pytest.raises(ConfigError, match=f"components: expected a whole .* got {number!r};"):
            mixture(number)
    with pytest.raises(ConfigError, match="decoder: expected a module with the attribute"):
        SpatialMixture(torch.nn.Linear(2, 3), 2)
    decoder = DenseDecoder((4, 4, 1), 16)
    with pytest.raises(ConfigError, match=r"prior: has states of size 5.* leaves 6 .*_size=15"):
        SpatialMixture(decoder, 2, prior=RecurrentPrior(5, 10))
    assert SpatialMixture(decoder, 2, prior=RecurrentPrior(6, 10)).state_size == 6
    with pytest.raises(ConfigError, match="sigma: expected a positive"):
        GaussianPixels(0.0)
